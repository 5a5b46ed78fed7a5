/**
 * Holds every request, answer, frame and event of the suites that say what clients see to the description of the API: a
 * test that makes something else fails. Jest runs this before each test file.
 */
import path from 'node:path';

const SUITES = ['acceptance', 'bad-input', 'operations'];

const file = expect.getState().testPath ?? '';
const suite = path.relative(path.join(__dirname, '..', '..'), file).split(path.sep)[0] ?? '';
// Other suites, most of which have no server, need not load all this.
if (SUITES.includes(suite)) {
  const { holdToContract } = require('./hold-to-contract.ts') as typeof import('./hold-to-contract.ts');
  holdToContract();
}
