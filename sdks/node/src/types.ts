// The wire's names and shapes, as http and openapi.json have them.

/** An amount in major units of its currency, exact to nine decimals: `"0.01212"`. A string, so that nothing makes a float of it. */
export type Money = string;
/** An amount that is given: a string, or a number. */
export type MoneyInput = string | number;
/** RFC 3339 in UTC: `2026-11-23T12:00:00Z`. */
export type Instant = string;
/** A `Date`, or RFC 3339. */
export type InstantInput = Date | string;
/** ISO 8601: `P7D`, `PT48H`. */
export type Duration = string;
/** A JSON object. */
export type Metadata = Record<string, unknown>;

export type Outcome = 'success' | 'failure' | 'pending';
export type OutcomeStatus = 'pending' | 'in_review' | 'succeeded' | 'failed' | 'expired' | 'reversed';
export type LedgerComponent = 'base' | 'tokens' | 'outcome' | 'reversal' | 'adjustment';

/** One piece of work of an agent. */
export interface MeterCall {
  /** Which agent. An unknown agent is registered by its first call. */
  agent_id: string;
  /** What it did, such as `email.sent`. */
  action: string;
  /** Tokens read; default 0. */
  tokens_input?: number | null | undefined;
  /** Tokens written; default 0. */
  tokens_output?: number | null | undefined;
  /** Absent: no outcome is tracked, and the call costs its base fee and tokens only. */
  outcome?: Outcome | null | undefined;
  /** Only with `pending`: until when a result may come. Default: now and the tier's `pending.expires_after`. */
  expires_at?: InstantInput | null | undefined;
  /** What bonus conditions read; at most 16 KiB, 8 levels. */
  metadata?: Metadata | null | undefined;
  /** Whom this is billed to. Default: the agent's customer, else `default`. */
  customer_id?: string | null | undefined;
  /** The model's name, for rates per model. */
  model?: string | null | undefined;
  /** When the work was done; default now, at most 35 days back. */
  occurred_at?: InstantInput | null | undefined;
  /** A repeat with the same key and content is answered as the first was. By default a random one. */
  idempotency_key?: string | null | undefined;
}

export interface PriceDetails {
  base_fee: Money;
  token_charge: Money;
  outcome_bonus: Money;
  total: Money;
}

/** Which rule decided a bonus, and why it is what it is. */
export interface BonusDetails {
  name: string | null;
  reason: string;
}

export interface TierReference {
  key: string;
  version: number;
}

/** The answer to a metered call. A replay is equal to the first. */
export interface MeterReceipt {
  event_id: string;
  /** Null when no outcome is tracked. */
  outcome_id: string | null;
  outcome: Outcome | null;
  outcome_status: OutcomeStatus | null;
  price_charged: Money;
  currency: string;
  price: PriceDetails;
  bonus: BonusDetails | null;
  /** The most that success could still add; null when nobody can bound it, or there is nothing to add. */
  potential_bonus: Money | null;
  tier: TierReference;
  agent_id: string;
  action: string;
  customer_id: string;
  model: string | null;
  tokens_input: number;
  tokens_output: number;
  occurred_at: Instant;
  expires_at: Instant | null;
}

/** There, and true, when the call was stored before under the same key. */
export interface Replayed {
  replayed?: true;
}

/** The receipt of a call that was metered as pending, success or failure: it has an outcome. */
export interface OutcomeReceipt extends MeterReceipt {
  outcome_id: string;
  outcome: Outcome;
  outcome_status: OutcomeStatus;
}

/** An item of a batch that was stored. */
export interface MeteredItem extends MeterReceipt {
  status: 201;
  /** There, and true, when the call was stored before. */
  replayed?: boolean;
  error?: undefined;
}

/** An item of a batch that was refused. */
export interface RefusedItem {
  status: number;
  error: import('./errors').Problem;
}

/** What came of each item, in order. */
export interface MeterBatchAnswer {
  results: Array<MeteredItem | RefusedItem>;
  accepted: number;
  replayed: number;
  rejected: number;
}

/** The result of a pending outcome. */
export interface ResolveInput {
  outcome: 'success' | 'failure';
  /** Merged over the call's; new keys win. */
  metadata?: Metadata | null | undefined;
}

/** The result of a pending outcome that is named by its call. */
export interface ResolveByCallInput extends ResolveInput {
  event_id?: string | null | undefined;
  /** The idempotency key of the call. */
  idempotency_key?: string | null | undefined;
}

/** The answer to a resolution; a repeat is answered as the first was. */
export interface Resolution {
  outcome_id: string;
  status: OutcomeStatus;
  outcome_bonus: Money;
  potential_bonus: Money | null;
  /** The call's total to date. */
  price_charged: Money;
  currency: string;
  bonus: BonusDetails | null;
  resolved_at: Instant;
  settles_at: Instant | null;
  event_id: string;
}

/** An item of a batch of resolutions that was decided. */
export interface ResolvedItem extends Omit<Resolution, 'status'> {
  status: 200;
  outcome_status: OutcomeStatus;
  error?: undefined;
}

export interface ResolveBatchAnswer {
  results: Array<ResolvedItem | RefusedItem>;
}

/** The answer to a reversal; a repeat is answered as the first was. */
export interface Reversal {
  outcome_id: string;
  status: OutcomeStatus;
  outcome_bonus: Money;
  price_charged: Money;
  currency: string;
  bonus: BonusDetails | null;
  resolved_at: Instant | null;
  settles_at: Instant | null;
  event_id: string;
  reversed_amount: Money;
  reversed_at: Instant;
  reason: string;
}

/** An outcome in a list. */
export interface OutcomeSummary {
  outcome_id: string;
  event_id: string;
  status: OutcomeStatus;
  outcome_bonus: Money;
  potential_bonus: Money | null;
  price_charged: Money;
  currency: string;
  bonus: BonusDetails | null;
  agent_id: string;
  action: string;
  customer_id: string;
  created_at: Instant;
  expires_at: Instant | null;
  resolved_at: Instant | null;
  settles_at: Instant | null;
  reversed_at: Instant | null;
  reversed_amount: Money | null;
}

export interface TransitionDetails {
  at: Instant;
  from: OutcomeStatus | null;
  to: OutcomeStatus;
  by: string;
  reason: string;
}

/** One leaf of a condition, as it was found. */
export interface ExplainedLeaf {
  field: string;
  op: string;
  expected: unknown;
  actual: unknown;
  passed: boolean;
  note: string | null;
}

/** One rule that was tried. */
export interface ExplainedRule {
  rule: number;
  name: string;
  action_fits: boolean;
  matched: boolean;
  conditions: ExplainedLeaf[];
}

/** Why the bonus is what it is. */
export interface Explanation {
  reason: string;
  rule: number | null;
  rules: ExplainedRule[];
}

/** An outcome with its life and why its bonus is what it is. */
export interface OutcomeDetails extends OutcomeSummary {
  tier: TierReference;
  metadata: Metadata;
  transitions: TransitionDetails[];
  explanation: Explanation | null;
}

/** A metered call in a list. */
export interface EventSummary extends MeterReceipt {
  price_charged_at_call: Money;
  received_at: Instant;
  metadata: Metadata | null;
}

/** One amount in the ledger. */
export interface LedgerLine {
  component: LedgerComponent;
  amount: Money;
  currency: string;
  reason: string;
  service_at: Instant;
  effective_at: Instant;
}

/** A metered call to date. */
export interface EventDetails extends EventSummary {
  ledger: LedgerLine[];
}

/** Part of a list, newest first. */
export interface Page<T> {
  data: T[];
  /** Where the next page begins; null at the end. */
  next_cursor: string | null;
}

export interface ListParameters {
  /** Items of a page, 1 to 200; default 50. */
  limit?: number | undefined;
  /** The `next_cursor` of the page before. */
  cursor?: string | null | undefined;
}

export interface OutcomeFilter extends ListParameters {
  status?: OutcomeStatus | undefined;
  agent_id?: string | undefined;
  customer_id?: string | undefined;
  action?: string | undefined;
}

export interface EventFilter extends ListParameters {
  agent_id?: string | undefined;
  customer_id?: string | undefined;
  action?: string | undefined;
  /** Only those metered with this outcome. */
  outcome?: Outcome | undefined;
  /** Only those received at or after this instant. */
  from?: InstantInput | undefined;
  /** Only those received before this instant. */
  to?: InstantInput | undefined;
}

export type ConditionOperator =
  | 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte' | 'in' | 'not_in' | 'exists' | 'not_exists' | 'contains' | 'starts_with' | 'ends_with';

/** Exactly one of all, any, not, or a leaf of field, op and value. */
export interface TierCondition {
  all?: TierCondition[] | null | undefined;
  any?: TierCondition[] | null | undefined;
  not?: TierCondition | null | undefined;
  /** `action`, `agent_id`, `customer_id`, `model`, `tokens_input`, `tokens_output`, or `metadata.` and a dotted path. */
  field?: string | null | undefined;
  op?: ConditionOperator | null | undefined;
  value?: unknown;
}

/** One bonus: an amount, or a percentage of a fact. */
export interface TierBonus {
  name: string;
  /** Which actions; a star is any run of characters. */
  action?: string | null | undefined;
  when?: TierCondition | null | undefined;
  amount?: MoneyInput | null | undefined;
  /** Instead of amount: a share, 0 to 100. */
  percent?: MoneyInput | null | undefined;
  /** With percent: of which fact. */
  of?: string | null | undefined;
  /** With percent: the most that it pays. */
  max_amount?: MoneyInput | null | undefined;
}

export interface TierModelRate {
  input_per_million: MoneyInput;
  output_per_million: MoneyInput;
}

export interface TierTokenRates {
  input_per_million?: MoneyInput | null | undefined;
  output_per_million?: MoneyInput | null | undefined;
  /** A key may end in a star; the longest match wins. */
  models?: Record<string, TierModelRate> | null | undefined;
}

export interface TierPending {
  expires_after?: Duration | null | undefined;
  on_expiry?: { bonus?: 'none' | 'as_success' | 'fixed' | null | undefined; amount?: MoneyInput | null | undefined } | null | undefined;
}

/** What a tier says. Only the name is required. */
export interface TierInput {
  name: string;
  currency?: string | null | undefined;
  base_fee?: MoneyInput | null | undefined;
  token_rates?: TierTokenRates | null | undefined;
  /** Tried in order on success; the first that matches is charged. */
  outcome_bonuses?: TierBonus[] | null | undefined;
  pending?: TierPending | null | undefined;
  /** How long a success waits before it is charged. */
  review_window?: Duration | null | undefined;
  /** How long after its charge a success can be taken back. */
  reversal_window?: Duration | null | undefined;
  /** At most one bonus per value of this field, within one customer. */
  one_bonus_per?: string | { field: string; scope?: 'agent' | 'account' | null | undefined } | null | undefined;
}

/** A tier at one of its versions. Every member is filled. */
export interface Tier {
  key: string;
  version: number;
  name: string;
  currency: string;
  base_fee: Money;
  token_rates: { input_per_million: Money; output_per_million: Money; models: Record<string, { input_per_million: Money; output_per_million: Money }> };
  outcome_bonuses: TierBonus[];
  pending: { expires_after: Duration; on_expiry: { bonus: 'none' | 'as_success' | 'fixed'; amount?: Money | null } };
  review_window: Duration;
  reversal_window: Duration;
  one_bonus_per: string | { field: string; scope: 'agent' | 'account' } | null;
  created_at: Instant;
  /** Null while in use. */
  archived_at: Instant | null;
}

/** What to set of an agent: absent stays, null clears. */
export interface AgentInput {
  name?: string | null | undefined;
  tier?: string | null | undefined;
  customer_id?: string | null | undefined;
}

export interface Agent {
  agent_id: string;
  name: string | null;
  tier: string | null;
  customer_id: string | null;
  created_at: Instant;
}

/** What to set of a customer: absent stays, null clears. */
export interface CustomerInput {
  name?: string | null | undefined;
  email?: string | null | undefined;
  tier?: string | null | undefined;
  stripe_customer_id?: string | null | undefined;
  metadata?: Metadata | null | undefined;
}

export interface Customer {
  customer_id: string;
  name: string | null;
  email: string | null;
  tier: string | null;
  stripe_customer_id: string | null;
  metadata: Metadata | null;
  created_at: Instant;
  erased_at: Instant | null;
}

/** A time: `from` inclusive, `to` exclusive. */
export interface Period {
  from?: InstantInput | undefined;
  to?: InstantInput | undefined;
}

export interface StatementLine {
  agent_id: string;
  action: string;
  component: LedgerComponent;
  /** Calls of `base`, tokens of `tokens`, bonuses charged of `outcome`, bonuses taken back of `reversal`. */
  quantity: number;
  /** Of reversals negative. */
  amount: Money;
}

/** What a customer owes for a time: its ledger, summed. */
export interface Statement {
  customer_id: string;
  from: Instant;
  to: Instant;
  currencies: Array<{ currency: string; total: Money; lines: StatementLine[] }>;
}

export interface RevenueQuery extends Period {
  interval?: 'hour' | 'day' | 'month' | undefined;
  group_by?: 'agent' | 'customer' | 'action' | 'component' | undefined;
  currency?: string | undefined;
  agent_id?: string | undefined;
  customer_id?: string | undefined;
  action?: string | undefined;
}

/** What happened in some time and what it came to. */
export interface RevenueFigures {
  calls: number;
  tokens_input: number;
  tokens_output: number;
  base_fees: Money;
  token_charges: Money;
  outcome_bonuses: Money;
  /** Zero or negative. */
  reversals: Money;
  /** The sum of the four amounts. */
  revenue: Money;
  successes: number;
  failures: number;
  pending: number;
  expired: number;
}

export interface RevenueBucket extends RevenueFigures {
  start: Instant;
  /** Null without `group_by`. */
  group: string | null;
}

export interface RevenueSeries {
  currency: string;
  from: Instant;
  to: Instant;
  data: RevenueBucket[];
  totals: RevenueFigures;
  other_currencies: string[];
}

export interface PeriodFigures extends RevenueFigures {
  from: Instant;
  to: Instant;
}

export interface OpenOutcomes {
  outcomes: number;
  potential_bonus: Money;
  /** Those whose bonus nobody can bound; they are not in the amount. */
  unbounded: number;
}

export interface RevenueSummary {
  currency: string;
  today: PeriodFigures;
  last_24_hours: PeriodFigures;
  month_to_date: PeriodFigures;
  previous_month: PeriodFigures;
  pending: OpenOutcomes;
  in_review: OpenOutcomes;
  success_rate: string | null;
  as_of: Instant;
  other_currencies: string[];
}

/** The month to simulate. */
export interface SimulationInput {
  /** A tier as in `tiers.put`, or with a key the key of one of the account's. */
  tier: TierInput | string;
  calls_per_month: number;
  tokens_input?: number | null | undefined;
  tokens_output?: number | null | undefined;
  model?: string | null | undefined;
  /** Which part of the calls that do not expire succeeds, 0 to 1; default 1. */
  success_rate?: MoneyInput | null | undefined;
  /** Which part of the calls is pending at first; default 0. */
  pending_rate?: MoneyInput | null | undefined;
  /** Which part of the pending ones expires; default 0. */
  expiry_rate?: MoneyInput | null | undefined;
  bonuses?: Array<{ name: string; share: MoneyInput; value?: MoneyInput | null | undefined }> | null | undefined;
  compare?: { flat_per_call?: MoneyInput | null | undefined; seat_price?: MoneyInput | null | undefined; seats?: number | null | undefined } | null | undefined;
}

export interface ComparedPrice {
  total: Money;
  difference: Money;
}

export interface Simulation {
  currency: string;
  calls_per_month: number;
  base_fees: Money;
  token_charges: Money;
  outcome_bonuses: Money;
  total: Money;
  per_call: Money;
  per_success: Money | null;
  successes: string;
  expired: string;
  compare: { flat_per_call: ComparedPrice | null; seats: ComparedPrice | null } | null;
  sensitivity: {
    success_rates: Array<{ success_rate: string; total: Money }>;
    volumes: Array<{ multiplier: string; calls: string; total: Money }>;
  };
}

/** Which recorded calls to price anew, and under which tier. */
export interface ReplayInput extends Period {
  tier: TierInput | string;
  agent_id?: string | null | undefined;
  customer_id?: string | null | undefined;
}

export interface ReplayedPrice {
  base_fees: Money;
  token_charges: Money;
  outcome_bonuses: Money;
  total: Money;
}

export interface ReplayedFigures {
  calls: number;
  actual: ReplayedPrice;
  replayed: ReplayedPrice;
  difference: Money;
}

export interface ReplayReport extends ReplayedFigures {
  tier: TierReference | null;
  currency: string;
  from: Instant;
  to: Instant;
  archived_months: string[];
  days: Array<ReplayedFigures & { day: string }>;
  agents: Array<ReplayedFigures & { agent_id: string }>;
  other_agents: (ReplayedFigures & { agents: number }) | null;
  other_currencies: Array<{ currency: string; calls: number }>;
  calls_erased: number;
}
