import { findKeyProblem } from '../app/src/identity/identity-key.js';
import { findBoxProblem } from '../app/src/messages/box-name.js';

describe('an identity key', () => {
  test('of 66 hex characters that begin with 02 or 03 is accepted, in either case', () => {
    expect(findKeyProblem(`02${'ab'.repeat(32)}`)).toBeUndefined();
    expect(findKeyProblem(`03${'AB'.repeat(32)}`)).toBeUndefined();
  });

  test.each([
    ['', 'Whose key is it for?'],
    ['hello', 'A key has only the digits 0 to 9 and the letters a to f.'],
    ['02ab', 'A key has 66 characters, and this has 4.'],
    [`04${'ab'.repeat(32)}`, 'A key begins with 02 or 03.'],
  ])('that is "%s" gets a sentence that says what is wrong', (key, problem) => {
    expect(findKeyProblem(key)).toBe(problem);
  });
});

describe('the name of a box', () => {
  test.each(['inbox', 'Größe 1', '<b>'])('may be "%s"', (name) => {
    expect(findBoxProblem(name)).toBeUndefined();
  });

  test.each([
    ['  ', 'A box needs a name.'],
    [' inbox', 'The name must not begin or end with a space.'],
    ['ü'.repeat(65), 'The name must have at most 128 bytes.'],
    ['in\u0007box', 'The name must not have control characters.'],
  ])('"%s" gets a sentence that says what is wrong', (name, problem) => {
    expect(findBoxProblem(name)).toBe(problem);
  });
});
