import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { Rev, RevWebhookError, verifyWebhook } from 'revgrid';

const secret = `whsec_${randomBytes(32).toString('base64')}`;
const body = JSON.stringify({ id: 'msg_1', type: 'outcome.succeeded', timestamp: '2026-11-24T09:30:00Z', sequence: 1795512600000000, mode: 'live', data: { outcome_id: 'out_1', outcome_bonus: '2.5' } });
const now = () => Math.floor(Date.now() / 1000);

function sign(payload, { key = secret, id = 'msg_1', at = now() } = {}) {
  const mac = createHmac('sha256', Buffer.from(key.slice(6), 'base64')).update(`${id}.${at}.`).update(payload).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(at), 'webhook-signature': `v1,${mac}` };
}

const refused = (reason) => (e) => e instanceof RevWebhookError && e.code === 'client.webhook_invalid' && e.reason === reason;

describe('A webhook', () => {
  test('that is signed gives its event, as text or bytes, with headers of any kind', () => {
    const headers = sign(body);
    for (const payload of [body, Buffer.from(body), new TextEncoder().encode(body)]) {
      const event = verifyWebhook(payload, headers, secret);
      assert.equal(event.type === 'outcome.succeeded' && event.data.outcome_bonus, '2.5');
    }
    verifyWebhook(body, new Headers(headers), secret);
    verifyWebhook(body, Object.fromEntries(Object.entries(headers).map(([k, v]) => [k.toUpperCase(), [v]])), secret);
    new Rev().verifyWebhook(body, headers, [secret]);
  });

  test('matches the published example of Standard Webhooks', () => {
    const event = verifyWebhook('{"test": 2432232314}', {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek', 'webhook-timestamp': '1614265330', 'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    }, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', { now: new Date(1614265330_000) });
    assert.deepEqual(event, { test: 2432232314 });
  });

  test('that was changed, or is of another secret, is refused', () => {
    const headers = sign(body);
    assert.throws(() => verifyWebhook(`${body} `, headers, secret), refused('bad_signature'));
    assert.throws(() => verifyWebhook(body, headers, `whsec_${randomBytes(32).toString('base64')}`), refused('bad_signature'));
    for (const [name, value] of [['webhook-id', 'msg_2'], ['webhook-timestamp', String(now() - 1)], ['webhook-signature', 'v1,AAAA'], ['webhook-signature', headers['webhook-signature'].replace('v1,', 'v1a,')], ['webhook-timestamp', 'NaN']]) {
      assert.throws(() => verifyWebhook(body, { ...headers, [name]: value }, secret), refused('bad_signature'), `${name}: ${value}`);
    }
  });

  test('is taken while a secret is replaced: two signatures, or two secrets', () => {
    const old = `whsec_${randomBytes(24).toString('base64')}`;
    const both = sign(body);
    both['webhook-signature'] += ` ${sign(body, { key: old })['webhook-signature']} v2,xyz`;
    verifyWebhook(body, both, secret);
    verifyWebhook(body, both, old);
    verifyWebhook(body, sign(body, { key: old }), [secret, old]);
    assert.throws(() => verifyWebhook(body, both, []), refused('bad_secret'));
  });

  test('that is too old or from the future is refused, within a tolerance of yours', () => {
    assert.throws(() => verifyWebhook(body, sign(body, { at: now() - 301 }), secret), refused('too_old'));
    assert.throws(() => verifyWebhook(body, sign(body, { at: now() + 302 }), secret), refused('too_new'));
    verifyWebhook(body, sign(body, { at: now() - 295 }), secret);
    verifyWebhook(body, sign(body, { at: now() - 3000 }), secret, { tolerance: 3600 });
    assert.throws(() => verifyWebhook(body, sign(body, { at: now() - 20 }), secret, { tolerance: 10 }), refused('too_old'));
  });

  test('is not let through by a tolerance or a time that is none', () => {
    const old = sign(body, { at: now() - 86_400 });
    for (const odd of [{ tolerance: NaN }, { tolerance: Number(undefined) }, { tolerance: -1 }, { now: new Date('never') }]) {
      assert.throws(() => verifyWebhook(body, old, secret, odd), (e) => e.code === 'client.invalid', JSON.stringify(odd));
    }
    assert.throws(() => verifyWebhook(body, null, secret), refused('missing_header'));
  });

  test('without a header, or twice with one, is refused', () => {
    for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature']) {
      const { [name]: value, ...rest } = sign(body);
      assert.throws(() => verifyWebhook(body, rest, secret), refused('missing_header'));
      assert.throws(() => verifyWebhook(body, { ...rest, [name]: [value, value] }, secret), refused('missing_header'));
    }
  });

  test('that was parsed already cannot be verified, and says so', () => {
    assert.throws(() => verifyWebhook(JSON.parse(body), sign(body), secret), refused('bad_payload'));
    assert.throws(() => verifyWebhook('no json', sign('no json'), secret), refused('bad_payload'));
  });

  test('is never verified with a secret that is none', () => {
    for (const bad of ['', 'whsec_', 'whsec_!!!', 'whsec_AAAA', undefined]) assert.throws(() => verifyWebhook(body, sign(body), [bad]), refused('bad_secret'), String(bad));
  });
});
