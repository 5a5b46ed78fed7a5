import { World } from '../bad-input/refusals.ts';
import { linesSince } from '../bad-input/server.ts';

/**
 * Lets the edge refuse by itself what is not HTTP or too large: in the form that is documented for the services, and
 * without a word of it reaching them. All else must be as without an edge.
 */
const { expectRefusal, expectOneLine } = World.prototype;
const refusals = ['ERR_BAD_REQUEST', 'ERR_BODY_TOO_LARGE'];
let byEdge = false;

World.prototype.expectRefusal = function (answer, code) {
  byEdge = answer.headers['x-answered-by'] === 'edge';
  if (!byEdge) return expectRefusal.call(this, answer, code);
  const { code: itsCode } = JSON.parse(answer.text) as { code: string };
  expect(refusals).toContain(itsCode);
  expect(answer.headers).toMatchObject({ 'access-control-allow-origin': '*', 'access-control-expose-headers': '*' });
  return expectRefusal.call(this, answer, itsCode);
};

World.prototype.expectOneLine = function (mark, code, request) {
  if (!byEdge) return expectOneLine.call(this, mark, code, request);
  expect(linesSince(this.server, mark)).toEqual([]);
  this.expectNoSecrets(mark, request);
};
