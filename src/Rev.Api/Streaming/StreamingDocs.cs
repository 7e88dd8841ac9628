using Rev.Api.Common;

namespace Rev.Api.Streaming;

/// <summary>What the reference says of the live stream.</summary>
internal static class StreamingDocs
{
    public static readonly Doc Watch = new("Streaming", "stream", "Watch calls and outcomes live", """
        Server-sent events, as calls and outcomes of this account and mode are committed, on whichever server. The stream goes on until you close it.

        - `call`: a call was metered; the data is an item of `GET /v1/events`.
        - `outcome`: an outcome changed; the data is an item of `GET /v1/outcomes`, as it stands.
        - `skipped`: `{"calls":n,"outcomes":n}`. A stream carries 200 events a second on average, 500 and 2 MiB at once, and a server looks at 1,000 new calls and as many changed outcomes at a
          time, twice a second or oftener. Of more the oldest are left out, and this says how many; those that the server did not look at are counted whatever your filter.
        - `reset`: `{"from":instant}`. You asked to resume from where this server cannot: what came before `from` is to be read from the lists.
        - `lagging`: you read too slowly, and the stream ends. More than 1,000 events or 4 MiB waited for you; one write that takes longer than 10 seconds ends it without a word.

        Every 15 seconds without an event comes a comment with a new id. Ids are opaque. To resume, send the last one as `Last-Event-ID` (browsers do by themselves) or as the
        parameter `last_event_id`: what came since is sent again, at most that of the last 10 minutes and 10,000 events, beginning 5 seconds earlier. So every event comes **at least
        once**: recognise repeats by the event's id. Events come in the order of their commits, but those of several servers, or of a commit that took long, may come late.

        A key that is revoked ends its streams within 15 seconds. An account and mode has at most 20 streams on a server.
        """)
    {
        Query =
        [
            ("agent_id", "Only of this agent.", null), ("customer_id", "Only of this customer.", null),
            ("last_event_id", "The id of the last event you got, where the header Last-Event-ID cannot be sent; the header counts before it.", null),
        ],
        Errors = ["request.invalid", "service.overloaded", "stream.too_many"],
        MediaTypes = [ServerSentEvents.MediaType],
        Answers = [(200, typeof(string), "The stream.")],
        StreamExample = """
            retry: 3000

            : heartbeat
            id: AAZD_Ahkn4ACAAAAAAAAAAAAAAAAAAAAAA

            id: AAZD_AmLsIAAAZqT8fF4_gqs-jVc2JYJhA
            event: call
            data: {"event_id":"evt_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","outcome":"pending","price_charged":"0.00962"}

            id: AAZD_A4BKEABAZqT8fF4_gqs-jVc2JYJhA
            event: outcome
            data: {"outcome_id":"out_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","status":"succeeded","price_charged":"0.01212"}


            """,
    };
}
