import { spawn } from 'node:child_process';
import { existsSync, watch } from 'node:fs';
import { constants } from 'node:os';
import { buildConsole } from './lib/build-console.mjs';
import { compile, prepare } from './lib/prepare.mjs';
import { main, SetupError } from './lib/run.mjs';
import { inRoot, scriptArguments, workspaceFolders } from './lib/workspace.mjs';

await main(async () => {
  await prepare();
  let server = start();
  let ending = false;
  let working = false;
  let changedAgain = false;

  /** One rebuild at a time; what changes meanwhile is built right after. The old server runs on until a build succeeds. */
  const rebuild = async () => {
    changedAgain = working;
    if (working || ending) return;
    working = true;
    try {
      await compile();
      await buildConsole();
      await stop(server, 'SIGTERM');
      if (!ending) server = start();
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      console.error(error.message);
    } finally {
      working = false;
    }
    if (changedAgain) await rebuild();
  };

  let timer;
  const folders = workspaceFolders().filter((folder) => folder !== '.');
  for (const sources of folders.flatMap((folder) => [inRoot(folder, 'src'), inRoot(folder, 'app')])) {
    if (!existsSync(sources)) continue;
    // An editor's save is several events.
    watch(sources, { recursive: true }, () => {
      clearTimeout(timer);
      timer = setTimeout(rebuild, 100);
    });
  }
  console.error('Watching the sources; the server restarts when they change.');

  const end = async (signal) => {
    if (ending) return;
    ending = true;
    await stop(server, signal);
    process.exit(128 + constants.signals[signal]);
  };
  process.on('SIGINT', end).on('SIGTERM', end);
});

function start() {
  const server = spawn(process.execPath, [inRoot('services', 'standalone', 'dist', 'main.js'), ...scriptArguments()], {
    stdio: 'inherit',
  });
  server.once('exit', (code, signal) => {
    if (!server.killed) console.error(`The server ended (${signal ?? code}); it starts again when a source changes.`);
  });
  return server;
}

function stop(server, signal) {
  if (server.exitCode !== null || server.signalCode !== null) return;
  return new Promise((resolve) => {
    server.once('exit', resolve);
    server.kill(signal);
  });
}
