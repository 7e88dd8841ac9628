-- Partitions calls, outcomes (by id: the month in which a call was received) and rollups (by hour) of Rev on SQL Server,
-- a partition a month. Run it while no server writes: rebuilding the clustered keys moves the rows, and needs their space
-- once more. It can be run again: what is partitioned already stays as it is.
-- ledger_entries and idempotency_keys stay whole: docs/retention.md says why.
SET XACT_ABORT ON;
SET QUOTED_IDENTIFIER ON;
SET ANSI_NULLS ON;
GO

-- The lowest id that is made in or after a month: 48 bits of milliseconds, 80 bits of zeros.
CREATE OR ALTER FUNCTION dbo.rev_lowest_id (@month date) RETURNS binary(16) WITH SCHEMABINDING AS
BEGIN
  DECLARE @milliseconds bigint = DATEDIFF_BIG(millisecond, CAST('1970-01-01' AS datetime2(3)), CAST(@month AS datetime2(3)));
  RETURN CAST(SUBSTRING(CAST(@milliseconds AS binary(8)), 3, 6) + 0x00000000000000000000 AS binary(16));
END
GO

-- The first microsecond of a month.
CREATE OR ALTER FUNCTION dbo.rev_lowest_hour (@month date) RETURNS bigint WITH SCHEMABINDING AS
BEGIN
  RETURN DATEDIFF_BIG(millisecond, CAST('1970-01-01' AS datetime2(3)), CAST(@month AS datetime2(3))) * 1000;
END
GO

-- Without boundaries there is one partition, which holds everything: whatever comes beyond the last boundary fits too.
IF NOT EXISTS (SELECT 1 FROM sys.partition_functions WHERE name = 'rev_ids')
  CREATE PARTITION FUNCTION rev_ids (binary(16)) AS RANGE RIGHT FOR VALUES ();
IF NOT EXISTS (SELECT 1 FROM sys.partition_functions WHERE name = 'rev_hours')
  CREATE PARTITION FUNCTION rev_hours (bigint) AS RANGE RIGHT FOR VALUES ();
IF NOT EXISTS (SELECT 1 FROM sys.partition_schemes WHERE name = 'rev_by_id')
  CREATE PARTITION SCHEME rev_by_id AS PARTITION rev_ids ALL TO ([PRIMARY]);
IF NOT EXISTS (SELECT 1 FROM sys.partition_schemes WHERE name = 'rev_by_hour')
  CREATE PARTITION SCHEME rev_by_hour AS PARTITION rev_hours ALL TO ([PRIMARY]);
GO

-- Begins a partition with a month, unless one does.
CREATE OR ALTER PROCEDURE dbo.rev_make_partition @month date AS
BEGIN
  SET NOCOUNT ON;
  DECLARE @first date = DATEFROMPARTS(YEAR(@month), MONTH(@month), 1);
  DECLARE @id binary(16) = dbo.rev_lowest_id(@first), @hour bigint = dbo.rev_lowest_hour(@first);
  IF NOT EXISTS (SELECT 1 FROM sys.partition_range_values AS v INNER JOIN sys.partition_functions AS f ON f.function_id = v.function_id
                 WHERE f.name = 'rev_ids' AND CONVERT(binary(16), v.value) = @id)
  BEGIN
    ALTER PARTITION SCHEME rev_by_id NEXT USED [PRIMARY];
    ALTER PARTITION FUNCTION rev_ids() SPLIT RANGE (@id);
  END;
  IF NOT EXISTS (SELECT 1 FROM sys.partition_range_values AS v INNER JOIN sys.partition_functions AS f ON f.function_id = v.function_id
                 WHERE f.name = 'rev_hours' AND CONVERT(bigint, v.value) = @hour)
  BEGIN
    ALTER PARTITION SCHEME rev_by_hour NEXT USED [PRIMARY];
    ALTER PARTITION FUNCTION rev_hours() SPLIT RANGE (@hour);
  END;
END
GO

-- Begins partitions with this month and the next ones. Run it once a month: splitting an empty partition moves no row.
CREATE OR ALTER PROCEDURE dbo.rev_make_partitions @months_ahead int AS
BEGIN
  SET NOCOUNT ON;
  DECLARE @ahead int = 0, @month date;
  WHILE @ahead <= @months_ahead
  BEGIN
    SET @month = DATEADD(month, @ahead, CAST(SYSUTCDATETIME() AS date));
    EXEC dbo.rev_make_partition @month;
    SET @ahead += 1;
  END;
END
GO

-- The months that have calls or rollups, before the rows are there.
DECLARE @month date;
DECLARE months CURSOR LOCAL FAST_FORWARD FOR
  SELECT DATEFROMPARTS(YEAR(at), MONTH(at), 1) AS month
  FROM (
    SELECT DATEADD(second, CAST(CAST(CAST(0x0000 + SUBSTRING(id, 1, 6) AS binary(8)) AS bigint) / 1000 AS int), CAST('1970-01-01' AS datetime2(0))) AS at FROM dbo.calls
    UNION ALL
    SELECT DATEADD(second, CAST(hour / 1000000 AS int), CAST('1970-01-01' AS datetime2(0))) FROM dbo.rollups
  ) AS times
  GROUP BY DATEFROMPARTS(YEAR(at), MONTH(at), 1)
  ORDER BY month;
OPEN months;
FETCH NEXT FROM months INTO @month;
WHILE @@FETCH_STATUS = 0
BEGIN
  EXEC dbo.rev_make_partition @month;
  FETCH NEXT FROM months INTO @month;
END;
CLOSE months;
DEALLOCATE months;
EXEC dbo.rev_make_partitions @months_ahead = 3;
GO

-- The rows move with the clustered keys; the other indexes follow, under their names.
IF NOT EXISTS (SELECT 1 FROM sys.indexes AS i INNER JOIN sys.partition_schemes AS s ON s.data_space_id = i.data_space_id WHERE i.name = 'PK_calls')
BEGIN
  BEGIN TRANSACTION;
  ALTER TABLE dbo.calls DROP CONSTRAINT [PK_calls];
  ALTER TABLE dbo.calls ADD CONSTRAINT [PK_calls] PRIMARY KEY CLUSTERED (account_id, mode, id) ON rev_by_id (id);
  CREATE INDEX [IX_calls_account_id_mode_agent_id_id] ON dbo.calls (account_id, mode, agent_id, id) WITH (DROP_EXISTING = ON) ON rev_by_id (id);
  CREATE INDEX [IX_calls_account_id_mode_customer_id_id] ON dbo.calls (account_id, mode, customer_id, id) WITH (DROP_EXISTING = ON) ON rev_by_id (id);
  COMMIT;
END;
IF NOT EXISTS (SELECT 1 FROM sys.indexes AS i INNER JOIN sys.partition_schemes AS s ON s.data_space_id = i.data_space_id WHERE i.name = 'PK_outcomes')
BEGIN
  BEGIN TRANSACTION;
  ALTER TABLE dbo.outcomes DROP CONSTRAINT [PK_outcomes];
  ALTER TABLE dbo.outcomes ADD CONSTRAINT [PK_outcomes] PRIMARY KEY CLUSTERED (account_id, mode, id) ON rev_by_id (id);
  CREATE INDEX [IX_outcomes_status_due_at_id] ON dbo.outcomes (status, due_at, id) WHERE due_at IS NOT NULL WITH (DROP_EXISTING = ON) ON rev_by_id (id);
  CREATE INDEX [IX_outcomes_account_id_mode_status_id] ON dbo.outcomes (account_id, mode, status, id) WITH (DROP_EXISTING = ON) ON rev_by_id (id);
  CREATE INDEX [IX_outcomes_account_id_mode_agent_id_status_id] ON dbo.outcomes (account_id, mode, agent_id, status, id) WHERE due_at IS NOT NULL WITH (DROP_EXISTING = ON) ON rev_by_id (id);
  CREATE INDEX [IX_outcomes_account_id_mode_customer_id_status_id] ON dbo.outcomes (account_id, mode, customer_id, status, id) WHERE due_at IS NOT NULL WITH (DROP_EXISTING = ON) ON rev_by_id (id);
  CREATE INDEX [IX_outcomes_account_id_mode_changed_at_id] ON dbo.outcomes (account_id, mode, changed_at, id) WHERE changed_at IS NOT NULL WITH (DROP_EXISTING = ON) ON rev_by_id (id);
  COMMIT;
END;
IF NOT EXISTS (SELECT 1 FROM sys.indexes AS i INNER JOIN sys.partition_schemes AS s ON s.data_space_id = i.data_space_id WHERE i.name = 'PK_rollups')
BEGIN
  BEGIN TRANSACTION;
  ALTER TABLE dbo.rollups DROP CONSTRAINT [PK_rollups];
  ALTER TABLE dbo.rollups ADD CONSTRAINT [PK_rollups] PRIMARY KEY CLUSTERED (account_id, mode, currency, hour, customer_id, agent_id, action) ON rev_by_hour (hour);
  COMMIT;
END;
GO
