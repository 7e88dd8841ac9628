// Reads {"verify":[{secret,headers,body}],"sign":[{secret,id,timestamp,body}]} from standard input and answers with what the
// package standardwebhooks makes of each: {"verify":[null or the error],"sign":[signature]}.
import { readFileSync } from 'node:fs';
import { Webhook } from 'standardwebhooks';

const asked = JSON.parse(readFileSync(0, 'utf8'));
const told = {
  verify: (asked.verify ?? []).map(({ secret, headers, body }) => {
    try {
      new Webhook(secret).verify(body, headers);
      return null;
    } catch (error) {
      return error.message;
    }
  }),
  sign: (asked.sign ?? []).map(({ secret, id, timestamp, body }) => new Webhook(secret).sign(id, new Date(timestamp * 1000), body)),
};
process.stdout.write(JSON.stringify(told));
