// `npm run bench`: one of the commands, or all parts of the benchmark.
import { runCommand } from './commands/command.mjs';
import { idleSockets } from './commands/idle-sockets.mjs';
import { largeTable } from './commands/large-table.mjs';
import { npmPackage } from './commands/npm-package.mjs';
import { soak } from './commands/soak.mjs';

const commands = [idleSockets, soak, largeTable, npmPackage];
const command = commands.find(({ name }) => name === process.argv[2]);
if (command === undefined) await import('./run.mjs');
else await runCommand(command, process.argv.slice(3));
