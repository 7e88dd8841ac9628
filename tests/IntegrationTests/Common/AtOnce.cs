// Tests wait for servers, clocks and disks more than they compute: more of them at once than there are processors.
[assembly: CollectionBehavior(MaxParallelThreads = 3)]
[assembly: TestCollectionOrderer("Rev.IntegrationTests.Common.LongestFirst", "IntegrationTests")]
