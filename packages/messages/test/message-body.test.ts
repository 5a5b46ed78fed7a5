import { toLiveBody, toStoredBody, toStoredBodyWithPayment } from '../src/message-body.js';

it.each([
  ['a text', 'hello'],
  ['an object', '{"text":"hello"}'],
  ['an object that looks like a wrapper', '{"message":"hello","other":1}'],
  ['an object that looks like a payment', '{"message":"hello","payment":{"tx":[]}}'],
  ['what looks like the beginning of a payment', '{"message":"hello","payment":'],
  ['an object with more structure than is parsed', `{"message":[${'[],'.repeat(100_001)}1]}`],
])('turns the stored form of %s back into what was sent', (_kind, sent) => {
  expect(toLiveBody(toStoredBody(sent))).toBe(sent);
});

it.each(['hello', '{"message":"hello"}'])('shows no live body of a message with a payment (%s)', (sent) => {
  expect(toLiveBody(toStoredBodyWithPayment(sent, '{"tx":[1],"outputs":[{}]}'))).toBeUndefined();
});

it('shows no live body of a payment with more structure than is parsed', () => {
  const outputs = `[${'[],'.repeat(100_001)}1]`;
  expect(toLiveBody(toStoredBodyWithPayment('hello', `{"tx":[1],"outputs":${outputs}}`))).toBeUndefined();
});

it('shows the object in a wrapper of the reference server as JSON', () => {
  expect(toLiveBody('{"message":{"text":"hello"}}')).toBe('{"text":"hello"}');
});
