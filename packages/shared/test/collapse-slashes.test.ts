import { collapseSlashes } from '../src/http/collapse-slashes.js';

test.each([
  ['/sendMessage', '/sendMessage'],
  ['//sendMessage', '/sendMessage'],
  ['///a//b///', '/a/b/'],
  ['/api//permissions/get?messageBox=a//b&c=//', '/api/permissions/get?messageBox=a//b&c=//'],
  ['/a?b=//', '/a?b=//'],
  ['//', '/'],
  ['//?x', '/?x'],
  ['/%2F/a', '/%2F/a'],
  ['*', '*'],
  ['', ''],
  ['http://host//a', 'http://host//a'],
])('%s is routed as %s', (sent, routed) => {
  expect(collapseSlashes(sent)).toBe(routed);
});
