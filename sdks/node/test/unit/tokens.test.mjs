import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RevInvalidRequestError, tokensOf } from 'revgrid';

const folder = fileURLToPath(new URL('../fixtures/usage/', import.meta.url));
const read = (name) => JSON.parse(readFileSync(folder + name, 'utf8'));

describe('Tokens of each shape, each token once', () => {
  for (const name of readdirSync(folder).filter((n) => !n.includes('.events.'))) {
    const { rule, expect, response } = read(name);
    test(name.replace('.json', ''), () => {
      assert.deepEqual(tokensOf(response), { ...expect, shape: rule });
      const usage = response.usage ?? response.usageMetadata ?? response.usage_metadata;
      if (usage) assert.deepEqual(tokensOf(usage), { ...expect, model: null, shape: rule }, 'the usage object alone counts the same');
    });
  }
});

describe('What cannot be counted is never taken for nothing', () => {
  const odd = {
    'no usage at all': undefined,
    'null': null,
    'a text': 'tokens: 3',
    'a stream’s chunk without usage': { object: 'chat.completion.chunk', choices: [], usage: null },
    'an unknown shape': { tokens: 12 },
    'an unknown shape within a response': { usage: { units: 12 } },
    'an empty usage': { usage: {} },
    'a total only': { usageMetadata: { promptTokenCount: 0, totalTokenCount: 7 } },
    'a fraction': { usage: { prompt_tokens: 1.5, completion_tokens: 1 } },
    'a negative number': { usage: { input_tokens: -1, output_tokens: 1 } },
    'a text for a number': { usage: { input_tokens: '12', output_tokens: 1 } },
    'NaN': { tokens_input: NaN },
    'misspelt numbers': { tokens_input: undefined, tokens_output: undefined },
    'numbers that are null': { usage: { prompt_tokens: null, completion_tokens: null } },
    'metadata of an unknown shape': { usage_metadata: { tokens: 12 } },
    'a total that is none': { usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: '2' } },
    'an LLMResult without usage': { generations: [[{ text: 'x' }]], llmOutput: {} },
  };
  for (const [name, value] of Object.entries(odd)) {
    test(name, () => assert.throws(() => tokensOf(value), (e) => e instanceof RevInvalidRequestError && 'usage' in e.errors));
  }
});
