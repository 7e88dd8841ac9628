\set agent random(0, 999)
INSERT INTO floor_calls (id, key, agent, action, customer, tokens_input, tokens_output, amount, metadata, at)
VALUES (gen_random_uuid(), gen_random_uuid(), 'agent-' || :agent, 'email.sent', 'customer-' || :agent % 200, 1200, 340, 12120000, '{"recipient":"prospect@company.com","campaign":"q2"}', now());
