// An agent that answers support tickets, metered by Rev. It needs no model key: the model here is made up, and answers as one does, with its usage.
//
//   REV_API_KEY=rg_test_… REV_BASE_URL=http://localhost:5080 node agent.mjs
import { revgrid } from 'revgrid';

const AGENT = 'support-agent';

/** A model that is none: the shape of the answer is that of OpenAI's Responses. */
async function model(prompt) {
  if (/crash/i.test(prompt)) throw new Error('the model is overloaded');
  const input = 900 + prompt.length;
  const output = 120 + (prompt.length % 60);
  return {
    model: 'small-1',
    output_text: /refund/i.test(prompt) ? 'I have to ask a colleague.' : 'It is fixed; please try again.',
    usage: {
      input_tokens: input, input_tokens_details: { cached_tokens: 768 }, output_tokens: output, output_tokens_details: { reasoning_tokens: 64 }, total_tokens: input + output,
    },
  };
}

/** Answers one ticket. What it used and what came of it is metered in any case, also when it throws. */
async function answer(ticket) {
  return revgrid.run({ agentId: AGENT, action: 'ticket.answered', metadata: { ticket_id: ticket.id }, onMetered: (receipt) => (ticket.receipt = receipt) }, async (run) => {
    const plan = await model(`What is asked? ${ticket.text}`);
    run.tokens(plan);
    const reply = await model(`Answer: ${ticket.text}`);
    run.tokens(reply);

    if (reply.output_text.includes('colleague')) run.failure({ handed_over: true });
    // Whether it helped nobody knows yet: the customer has two days to say.
    else run.pending({ expires_at: new Date(Date.now() + 48 * 3600_000) });
    return reply.output_text;
  });
}

const tickets = [
  { id: 'T-1', text: 'My export does not start.' },
  { id: 'T-2', text: 'I want a refund!' },
  { id: 'T-3', text: 'Everything does crash.' },
];

for (const ticket of tickets) {
  try {
    console.log(`${ticket.id}: ${await answer(ticket)}`);
  } catch (error) {
    console.log(`${ticket.id}: ${error.message}`);
  }
  const { price_charged, currency, outcome_status, tokens_input, tokens_output } = ticket.receipt;
  console.log(`     ${price_charged} ${currency} for ${tokens_input} + ${tokens_output} tokens, ${outcome_status}`);
}

// Later on the customer of T-1 says that it helped.
const resolution = await revgrid.resolveOutcome(tickets[0].receipt.outcome_id, { outcome: 'success', metadata: { csat: 5 } });
console.log(`T-1 helped: ${resolution.outcome_bonus} ${resolution.currency} more (${resolution.bonus?.reason}), ${resolution.price_charged} in all`);

const { totals } = await revgrid.analytics.revenue({ agent_id: AGENT, interval: 'day' });
console.log(`So far ${AGENT} made ${totals.calls} calls and ${totals.revenue}; ${totals.successes} succeeded, ${totals.failures} failed`);
