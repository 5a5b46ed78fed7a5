import { parseStoredBody } from '../app/src/messages/stored-body.js';

describe('a stored body', () => {
  test.each([
    ['plain text', 'Hello', 'Hello'],
    ['a number', '42', '42'],
    ['JSON of an application', '{"order":7}', '{"order":7}'],
    ['broken JSON', '{"message":', '{"message":'],
    ['markup', '<b>bold</b>', '<b>bold</b>'],
    ['an array', '[{"encryptedMessage":"AA=="}]', '[{"encryptedMessage":"AA=="}]'],
    ['an encrypted message that is no text', '{"encryptedMessage":5}', '{"encryptedMessage":5}'],
    ['nothing', '', ''],
  ])('%s is shown as it is', (_what, body, text) => {
    expect(parseStoredBody(body)).toEqual({ ciphertext: undefined, text, payment: undefined });
  });

  test('an encrypted message is recognised, and its ciphertext is not shown as text', () => {
    expect(parseStoredBody('{"encryptedMessage":"AAEC"}')).toEqual({
      ciphertext: 'AAEC',
      text: '',
      payment: undefined,
    });
  });

  test('a payment around a message is taken off', () => {
    const payment = { tx: [1], outputs: [] };
    expect(parseStoredBody(JSON.stringify({ message: 'Here you are', payment }))).toEqual({
      ciphertext: undefined,
      text: 'Here you are',
      payment,
    });
    const encrypted = JSON.stringify({ message: '{"encryptedMessage":"AAEC"}', payment });
    expect(parseStoredBody(encrypted)).toEqual({ ciphertext: 'AAEC', text: '', payment });
  });

  test('an object that was wrapped because it has a key "message" of its own is shown with all its keys', () => {
    const { text } = parseStoredBody('{"message":{"message":"hi","topic":"x"}}');
    expect(JSON.parse(text)).toEqual({ message: 'hi', topic: 'x' });
  });
});
