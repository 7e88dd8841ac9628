// The types say what docs/api/openapi.json says: the same members, absent and null where it allows that.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const document = fileURLToPath(new URL('../../../../docs/api/openapi.json', import.meta.url));
const source = fileURLToPath(new URL('../../src/index.ts', import.meta.url));

// What is answered, then what is given, by its name here and there.
const answers = {
  MeterReceipt: 'MeterReceipt', PriceDetails: 'PriceDetails', BonusDetails: 'BonusDetails', TierReference: 'TierReference', EventSummary: 'EventSummary', EventDetails: 'EventDetails',
  LedgerLine: 'LedgerLine', Resolution: 'Resolution', Reversal: 'Reversal', OutcomeSummary: 'OutcomeSummary', OutcomeDetails: 'OutcomeDetails', TransitionDetails: 'TransitionDetails',
  Explanation: 'Explanation', ExplainedRule: 'ExplainedRule', ExplainedLeaf: 'ExplainedLeaf', Agent: 'AgentDetails', Customer: 'CustomerDetails', Tier: 'TierAnswer',
  Statement: 'Statement', StatementLine: 'StatementLine', RevenueSeries: 'RevenueSeries', RevenueBucket: 'RevenueBucket', RevenueFigures: 'RevenueFigures', RevenueSummary: 'RevenueSummary',
  PeriodFigures: 'PeriodFigures', OpenOutcomes: 'OpenOutcomes', Simulation: 'Simulation', ReplayReport: 'ReplayReport', ReplayedPrice: 'ReplayedPrice', Problem: 'Problem',
};
const inputs = {
  MeterCall: 'MeterCallRequest', ResolveInput: 'ResolveRequest', ResolveByCallInput: 'ResolveByCallRequest', TierInput: 'TierRequest', TierBonus: 'TierBonus', TierCondition: 'TierCondition',
  TierModelRate: 'TierModelRate', TierTokenRates: 'TierTokenRates', TierPending: 'TierPending', AgentInput: 'AgentRequest', CustomerInput: 'CustomerRequest', SimulationInput: 'SimulationRequest',
  ReplayInput: 'ReplayRequest',
};
// Answers of a tier are always filled, though its schema is that of the request.
const filled = new Set(['Tier']);

describe('Types agree with the contract', { skip: !existsSync(document) }, () => {
  const schemas = JSON.parse(readFileSync(document, 'utf8')).components.schemas;
  const program = ts.createProgram([source], { strict: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16, types: ['node'], exactOptionalPropertyTypes: true });
  const checker = program.getTypeChecker();
  const exported = new Map(checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(source))).map((s) => [s.name, s]));

  const membersOf = (name) => {
    const symbol = exported.get(name);
    assert.ok(symbol, `${name} is not exported`);
    const type = checker.getDeclaredTypeOfSymbol(symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);
    return new Map(type.getProperties().map((property) => {
      const of = checker.getTypeOfSymbol(property);
      const parts = of.isUnion() ? of.types : [of];
      return [property.name, {
        optional: (property.flags & ts.SymbolFlags.Optional) !== 0,
        nullable: parts.some((p) => p.flags & (ts.TypeFlags.Null | ts.TypeFlags.Unknown | ts.TypeFlags.Any)),
        literals: parts.filter((p) => p.isStringLiteral()).map((p) => p.value).sort(),
      }];
    }));
  };
  const nullable = (s) => [].concat(s.type ?? []).includes('null') || (s.oneOf ?? s.anyOf ?? []).some((o) => o.type === 'null');
  const enumOf = (s) => {
    const one = s.$ref ? schemas[s.$ref.split('/').pop()] : (s.oneOf ?? []).map((o) => (o.$ref ? schemas[o.$ref.split('/').pop()] : o)).find((o) => o.enum) ?? s;
    return one?.enum?.slice().sort();
  };

  for (const [name, schema] of Object.entries({ ...answers, ...inputs })) {
    test(name, () => {
      const { properties, required = [] } = schemas[schema];
      const members = membersOf(name);
      assert.deepEqual([...members.keys()].sort(), Object.keys(properties).sort());
      for (const [field, member] of members) {
        if (name in inputs) assert.equal(member.optional, !required.includes(field), `${field} is ${member.optional ? '' : 'not '}optional`);
        else assert.equal(member.optional && name !== 'Problem', false, field);
        if (!filled.has(name) && !(name in inputs)) assert.equal(member.nullable, nullable(properties[field]) || (!properties[field].$ref && !properties[field].type && !properties[field].oneOf) || isAny(schemas, properties[field]), `${field}: null`);
        const known = enumOf(properties[field]);
        if (known && member.literals.length > 0) assert.deepEqual(member.literals, known, field);
      }
    });
  }
});

function isAny(schemas, property) {
  return property.$ref !== undefined && !schemas[property.$ref.split('/').pop()].type && !schemas[property.$ref.split('/').pop()].oneOf;
}
