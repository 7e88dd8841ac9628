import { invalid } from './errors';

/** Tokens as Rev counts them: what was read and what was written, each token once. */
export interface TokenCount {
  tokens_input: number;
  tokens_output: number;
}

/** A count, and what it was read from. */
export interface CountedTokens extends TokenCount {
  /** The model's name, where the response has it. */
  model: string | null;
  /** Which rule of the README's table was used. */
  shape: 'rev' | 'openai.chat' | 'openai.responses' | 'anthropic' | 'gemini' | 'google.interactions' | 'langchain' | 'extensions.ai';
}

type Bag = Record<string, unknown>;

const GEMINI = ['promptTokenCount', 'candidatesTokenCount', 'responseTokenCount', 'thoughtsTokenCount'] as const;
// As Google's other SDKs write them.
const SNAKE: Record<string, string> = {
  prompt_token_count: 'promptTokenCount', candidates_token_count: 'candidatesTokenCount', response_token_count: 'responseTokenCount', thoughts_token_count: 'thoughtsTokenCount',
  tool_use_prompt_token_count: 'toolUsePromptTokenCount', total_token_count: 'totalTokenCount',
};

/**
 * Counts the tokens of a model's response, or of its usage object: cached and reasoning tokens are in the count, each once. The README has the
 * rule for each shape and where it comes from.
 * @throws {RevInvalidRequestError} when there is no usage, or one of an unknown shape: what cannot be counted is never taken for nothing.
 */
export function tokensOf(response: unknown): CountedTokens {
  const value = bag(response);
  if (!value) throw unknown('is no usage and no response: streams tell their usage at the end only');

  if (bag(value['usageMetadata'])) return gemini(bag(value['usageMetadata'])!, text(value['modelVersion']));
  const metadata = bag(value['usage_metadata']);
  if (metadata) {
    const told = bag(value['response_metadata']);
    if (isSnake(metadata)) return gemini(camel(metadata), text(value['model_version']));
    if (!has(metadata, 'input_tokens', 'output_tokens')) throw unlike(metadata);
    return langchain(metadata, text(told?.['model_name']) ?? text(told?.['model']));
  }
  if (Array.isArray(value['generations'])) return generations(value);
  const inner = bag(value['response']);
  if (inner && (bag(inner['usage']) || bag(inner['usageMetadata']))) return tokensOf(inner);
  if (bag(value['usage'])) return { ...usage(bag(value['usage'])!), model: text(value['model']) };
  if ('usage' in value) throw unknown('has no usage yet: with streams ask for it (stream_options: { include_usage: true }), and take the last chunk');
  return usage(value);
}

function usage(u: Bag): CountedTokens {
  if (has(u, 'tokens_input', 'tokens_output')) return counted('rev', count(u, 'tokens_input'), count(u, 'tokens_output'));
  if (has(u, ...GEMINI)) return gemini(u, null);
  if (isSnake(u)) return gemini(camel(u), null);
  if (has(u, 'inputTokenCount', 'outputTokenCount')) return counted('extensions.ai', count(u, 'inputTokenCount'), count(u, 'outputTokenCount'));
  if (has(u, 'InputTokenCount', 'OutputTokenCount')) return counted('extensions.ai', count(u, 'InputTokenCount'), count(u, 'OutputTokenCount'));
  if (has(u, 'total_input_tokens', 'total_output_tokens')) return interactions(u);
  if (has(u, 'prompt_tokens', 'completion_tokens')) return chat(u);
  if (has(u, 'input_token_details', 'output_token_details', 'promptTokens', 'completionTokens')) return langchain(u, null);
  if (['cache_creation_input_tokens', 'cache_read_input_tokens', 'cache_creation', 'iterations'].some((field) => field in u)) return anthropic(u);
  if (has(u, 'input_tokens', 'output_tokens')) return responses(u);
  throw unlike(u);
}

function has(u: Bag, ...fields: readonly string[]): boolean {
  return fields.some((field) => u[field] !== undefined && u[field] !== null);
}

function isSnake(u: Bag): boolean {
  return has(u, ...Object.keys(SNAKE).slice(0, 4));
}

function camel(u: Bag): Bag {
  return Object.fromEntries(Object.entries(u).filter(([, value]) => value !== null).map(([name, value]) => [SNAKE[name] ?? name, value]));
}

/** OpenAI, Chat Completions: cached tokens are in prompt_tokens, reasoning tokens in completion_tokens. */
function chat(u: Bag): CountedTokens {
  const [input, output] = [count(u, 'prompt_tokens'), count(u, 'completion_tokens')];
  return counted('openai.chat', input, byTotal(u, input, output));
}

/** OpenAI, Responses: cached tokens are in input_tokens, reasoning tokens in output_tokens. */
function responses(u: Bag): CountedTokens {
  const [input, output] = [count(u, 'input_tokens'), count(u, 'output_tokens')];
  return counted('openai.responses', input, byTotal(u, input, output));
}

/** Servers that imitate OpenAI and leave reasoning out of the output have it in their total, which is what they bill. */
function byTotal(u: Bag, input: number, output: number, total = 'total_tokens'): number {
  return Math.max(output, count(u, total) - input);
}

/** Anthropic: input_tokens is what no cache had to do with; thinking is in output_tokens. */
function anthropic(u: Bag): CountedTokens {
  let [input, output] = [anthropicInput(u), count(u, 'output_tokens')];
  // The only iterations that the top-level counts leave out.
  for (const step of Array.isArray(u['iterations']) ? (u['iterations'] as unknown[]) : []) {
    const iteration = bag(step);
    if (iteration?.['type'] !== 'compaction') continue;
    input += anthropicInput(iteration);
    output += count(iteration, 'output_tokens');
  }
  return counted('anthropic', input, output);
}

function anthropicInput(u: Bag): number {
  // cache_creation is the same tokens again, by how long they are kept.
  const parts = bag(u['cache_creation']) ?? {};
  const written = has(u, 'cache_creation_input_tokens') ? count(u, 'cache_creation_input_tokens') : count(parts, 'ephemeral_5m_input_tokens') + count(parts, 'ephemeral_1h_input_tokens');
  return count(u, 'input_tokens') + written + count(u, 'cache_read_input_tokens');
}

/** Gemini: cached tokens are in promptTokenCount; what tools gave and thoughts stand beside the other counts. */
function gemini(u: Bag, model: string | null): CountedTokens {
  const input = count(u, 'promptTokenCount') + count(u, 'toolUsePromptTokenCount');
  const visible = !has(u, 'candidatesTokenCount') ? count(u, 'responseTokenCount') : count(u, 'candidatesTokenCount');
  const thoughts = count(u, 'thoughtsTokenCount');
  if (input === 0 && visible === 0 && thoughts === 0 && count(u, 'totalTokenCount') > 0) throw unknown('has a total only');
  // Where the total says that the candidates have the thoughts in them, they are not added.
  const included = thoughts > 0 && visible >= thoughts && u['totalTokenCount'] === input + visible;
  return counted('gemini', input, included ? visible : visible + thoughts, model);
}

/** Google's Interactions: as Gemini, under other names. */
function interactions(u: Bag): CountedTokens {
  const input = count(u, 'total_input_tokens') + count(u, 'total_tool_use_tokens');
  const [visible, thoughts] = [count(u, 'total_output_tokens'), count(u, 'total_thought_tokens')];
  const included = thoughts > 0 && visible >= thoughts && u['total_tokens'] === input + visible;
  return counted('google.interactions', input, included ? visible : visible + thoughts);
}

/** LangChain: usage_metadata sums all kinds of tokens; tokenUsage is what older models say. */
function langchain(u: Bag, model: string | null): CountedTokens {
  const [read, written, total] = has(u, 'promptTokens', 'completionTokens') ? ['promptTokens', 'completionTokens', 'totalTokens'] : ['input_tokens', 'output_tokens', 'total_tokens'];
  const input = count(u, read!);
  return counted('langchain', input, byTotal(u, input, count(u, written!), total), model);
}

/** LangChain's LLMResult, as handleLLMEnd gets it. */
function generations(result: Bag): CountedTokens {
  let [found, input, output] = [false, 0, 0];
  let model: string | null = null;
  for (const generation of (result['generations'] as unknown[]).flat()) {
    const message = bag(bag(generation)?.['message']);
    if (!message || !bag(message['usage_metadata'])) continue;
    const one = tokensOf(message);
    [found, input, output, model] = [true, input + one.tokens_input, output + one.tokens_output, model ?? one.model];
  }
  if (found) return counted('langchain', input, output, model);
  const llm = bag(result['llmOutput']);
  const told = bag(llm?.['tokenUsage']) ?? bag(llm?.['usage']) ?? bag(llm?.['estimatedTokenUsage']);
  if (!told) throw unknown('is an LLMResult without usage');
  return { ...usage(told), model: text(llm?.['model']) ?? text(llm?.['model_name']) };
}

/** @internal Anthropic's stream: message_start has the input, message_delta the counts so far. Null for what is none of both. */
export function anthropicStream(event: unknown): { start: boolean; model: string | null; usage: Bag } | null {
  const value = bag(event);
  if (value?.['type'] === 'message_start') {
    const message = bag(value['message']);
    const told = bag(message?.['usage']);
    return told ? { start: true, model: text(message?.['model']), usage: told } : null;
  }
  if (value?.['type'] === 'message_delta') {
    const told = bag(value['usage']);
    return told ? { start: false, model: null, usage: told } : null;
  }
  return null;
}

/** @internal What a stream has come to: what a later event does not tell stays. */
export function anthropicSoFar(start: Bag, later: Bag): CountedTokens {
  return anthropic({ ...start, ...Object.fromEntries(Object.entries(later).filter(([, value]) => value !== null && value !== undefined)) });
}

function counted(shape: CountedTokens['shape'], input: number, output: number, model: string | null = null): CountedTokens {
  return { tokens_input: input, tokens_output: output, model, shape };
}

function count(u: Bag, field: string): number {
  const value = u[field];
  if (value === undefined || value === null) return 0;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw invalid({ usage: [`${field} is ${String(value)}, which is no number of tokens`] });
  return value;
}

function bag(value: unknown): Bag | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Bag) : undefined;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function unlike(u: Bag): Error {
  return unknown(`has none of the known fields; it has ${Object.keys(u).slice(0, 12).join(', ') || 'none'}`);
}

function unknown(what: string): Error {
  return invalid({ usage: [what] });
}
