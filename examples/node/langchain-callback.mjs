// A callback handler for LangChain: add it to `callbacks`, and every chain that runs is metered as one call, with the tokens of all models in it.
// LangChain looks at the names of the methods only, so that the class extends nothing, and this file needs no package but revgrid.
//
//   REV_API_KEY=rg_test_… REV_BASE_URL=http://localhost:5080 node langchain-callback.mjs
import { pathToFileURL } from 'node:url';
import { revgrid, tokensOf } from 'revgrid';

export class RevCallbackHandler {
  name = 'rev';
  awaitHandlers = true;
  #runs = new Map();
  #options;

  /** `agentId` and `action` as in `revgrid.run`; `outcome(outputs)` may say what came of a chain: 'success', 'failure', 'pending' or nothing. */
  constructor({ agentId, action, customerId, outcome = () => undefined }) {
    this.#options = { agentId, action, customerId, outcome };
  }

  handleChainStart(_chain, _inputs, runId, parentRunId) {
    this.#begin(runId, parentRunId);
  }

  handleChatModelStart(_llm, _messages, runId, parentRunId) {
    this.#begin(runId, parentRunId);
  }

  handleLLMStart(_llm, _prompts, runId, parentRunId) {
    this.#begin(runId, parentRunId);
  }

  handleLLMEnd(output, runId) {
    const run = this.#runs.get(runId);
    if (!run) return undefined;
    const { tokens_input, tokens_output, model } = tokensOf(output);
    run.root.tokens_input += tokens_input;
    run.root.tokens_output += tokens_output;
    run.root.model ??= model;
    return this.#end(runId, {});
  }

  handleLLMError(_error, runId) {
    return this.#end(runId, { outcome: 'failure' });
  }

  // Tools and retrievers use no tokens themselves, but the chains and models within them do.
  handleToolStart(_tool, _input, runId, parentRunId) {
    this.#begin(runId, parentRunId);
  }

  handleToolEnd(_output, runId) {
    return this.#end(runId, {});
  }

  handleToolError(_error, runId) {
    return this.#end(runId, { outcome: 'failure' });
  }

  handleRetrieverStart(_retriever, _query, runId, parentRunId) {
    this.#begin(runId, parentRunId);
  }

  handleRetrieverEnd(_documents, runId) {
    return this.#end(runId, {});
  }

  handleRetrieverError(_error, runId) {
    return this.#end(runId, { outcome: 'failure' });
  }

  handleChainEnd(outputs, runId) {
    return this.#end(runId, { outcome: this.#options.outcome(outputs) });
  }

  handleChainError(_error, runId) {
    return this.#end(runId, { outcome: 'failure' });
  }

  /** What runs within another belongs to it: only the outermost run is a call. */
  #begin(runId, parentRunId) {
    const parent = this.#runs.get(parentRunId);
    this.#runs.set(runId, { root: parent?.root ?? { id: runId, tokens_input: 0, tokens_output: 0, model: null } });
  }

  async #end(runId, { outcome }) {
    const run = this.#runs.get(runId);
    this.#runs.delete(runId);
    if (!run || run.root.id !== runId) return;
    const { agentId, action, customerId } = this.#options;
    const { tokens_input, tokens_output, model } = run.root;
    // In the background; the run's id makes sure that it counts once.
    await revgrid.track({
      agent_id: agentId, action, customer_id: customerId, tokens_input, tokens_output, model, outcome, metadata: { langchain_run: runId }, idempotency_key: `langchain:${runId}`,
    });
  }
}

// --- A chain that is none: it calls the handler as LangChain does. ---------------------------

async function chain(question, handler) {
  const outer = crypto.randomUUID();
  await handler.handleChainStart({}, { question }, outer);
  try {
    for (const step of ['plan', 'answer']) {
      const id = crypto.randomUUID();
      await handler.handleChatModelStart({}, [[question]], id, outer);
      if (question.includes('impossible')) {
        const error = new Error('the model refused');
        await handler.handleLLMError(error, id, outer);
        throw error;
      }
      await handler.handleLLMEnd({
        generations: [[{
          text: step, message: {
            content: step, response_metadata: { model_name: 'small-1' },
            usage_metadata: { input_tokens: 420, output_tokens: 96, total_tokens: 516, input_token_details: { cache_read: 256 }, output_token_details: { reasoning: 32 } },
          },
        }]],
      }, id, outer);
    }
    const outputs = { text: 'Tuesday at ten.', booked: true };
    await handler.handleChainEnd(outputs, outer);
    return outputs.text;
  } catch (error) {
    await handler.handleChainError(error, outer);
    throw error;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const handler = new RevCallbackHandler({ agentId: 'scheduler', action: 'meeting.proposed', outcome: ({ booked }) => (booked ? 'success' : 'failure') });
  console.log(await chain('When can we meet?', handler));
  await chain('Do the impossible.', handler).catch((error) => console.log(error.message));

  const { accepted, duplicates, rejected, lost, pending } = await revgrid.close();
  console.log(`metered ${accepted + duplicates}, rejected ${rejected}, lost ${lost}, pending ${pending}`);
  const { data } = await revgrid.events.list({ agent_id: 'scheduler', limit: 2 }).page();
  for (const event of data) console.log(`${event.outcome}: ${event.tokens_input} + ${event.tokens_output} tokens, ${event.price_charged} ${event.currency}`);
}
