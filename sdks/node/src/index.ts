import { Rev } from './client';

export { Rev, type CallOptions, type RevOptions } from './client';
export {
  RevAbortError, RevAuthenticationError, RevConfigError, RevConflictError, RevConnectionError, RevError, RevInvalidRequestError, RevNotFoundError, RevPermissionError,
  RevRateLimitError, RevServerError, RevTimeoutError, RevTrackError, RevWebhookError, type Problem, type WebhookFault,
} from './errors';
export type { AbortSignalLike, FetchLike, RequestOptions, ResponseLike, WriteOptions } from './http';
export type { Paged } from './paged';
export type { Run, RunOptions } from './run';
export { tokensOf, type CountedTokens, type TokenCount } from './tokens';
export type { SpoolOptions, TrackCloseOptions, Tracked, TrackOptions, TrackStats } from './trackoptions';
export * from './types';
export { VERSION } from './version';
export { verifyWebhook, type HeadersInput, type VerifyOptions, type WebhookEvent, type WebhookInvoice, type WebhookSyncFailure, type OutcomeEvent, type InvoiceEvent, type SyncFailedEvent, type TestEvent } from './webhooks';

/** The Rev of the environment: REV_API_KEY and REV_BASE_URL are read at its first call. */
export const revgrid: Rev = new Rev();
export default revgrid;

// The same as functions, so that `import * as revgrid` and `const revgrid = require('revgrid')` are used alike.
export const meter = revgrid.meter.bind(revgrid) as Rev['meter'];
export const meterBatch = revgrid.meterBatch.bind(revgrid) as Rev['meterBatch'];
export const resolveOutcome = revgrid.resolveOutcome.bind(revgrid) as Rev['resolveOutcome'];
export const resolveOutcomes = revgrid.resolveOutcomes.bind(revgrid) as Rev['resolveOutcomes'];
export const reverseOutcome = revgrid.reverseOutcome.bind(revgrid) as Rev['reverseOutcome'];
export const simulate = revgrid.simulate.bind(revgrid) as Rev['simulate'];
export const replay = revgrid.replay.bind(revgrid) as Rev['replay'];
export const statement = revgrid.statement.bind(revgrid) as Rev['statement'];
export const run = revgrid.run.bind(revgrid) as Rev['run'];
export const track = revgrid.track.bind(revgrid) as Rev['track'];
export const flush = revgrid.flush.bind(revgrid) as Rev['flush'];
export const close = revgrid.close.bind(revgrid) as Rev['close'];
export const stats = revgrid.stats.bind(revgrid) as Rev['stats'];
export const configure = revgrid.configure.bind(revgrid) as Rev['configure'];
export const { outcomes, events, tiers, agents, customers, analytics } = revgrid;
