import type { Fault } from './fault.ts';

export const databaseKilled: Fault = {
  name: 'database-killed',
  does: 'the database is killed, and started again after 5 s',
  seconds: 5,
  start: ({ database }) => database.kill(),
  end: ({ database }) => database.start(),
};

const databaseRestarted: Fault = {
  name: 'database-restarted',
  does: 'the database is stopped in order and started again',
  seconds: 0,
  async start({ database }) {
    await database.stop();
    await database.start();
  },
};

/** Statements wait, and commit when their clients have given up already. */
export const databaseHung: Fault = {
  name: 'database-hung',
  does: 'the database hangs for 10 s (SIGSTOP)',
  seconds: 10,
  quick: true,
  start: ({ database }) => database.pause(),
  end: ({ database }) => database.resume(),
};

const databaseConnectionsKilled: Fault = {
  name: 'database-connections-killed',
  does: 'KILL of all connections to the database',
  seconds: 0,
  start: ({ databaseAdmin }) => databaseAdmin.killConnections(),
};

const databaseReadOnly: Fault = {
  name: 'database-read-only',
  does: 'the database is read-only for 10 s',
  seconds: 10,
  start: ({ databaseAdmin }) => databaseAdmin.run('SET GLOBAL read_only = 1'),
  end: ({ databaseAdmin }) => databaseAdmin.run('SET GLOBAL read_only = 0'),
};

const databaseFull: Fault = {
  name: 'database-full',
  does: 'the database refuses each insert for 10 s, as with a full disk',
  seconds: 10,
  start: ({ databaseAdmin }) => databaseAdmin.fill(),
  end: ({ databaseAdmin }) => databaseAdmin.empty(),
};

const messagesLocked: Fault = {
  name: 'messages-locked',
  does: 'the table of messages is locked for 10 s, as by a careless backup',
  seconds: 10,
  start: ({ databaseAdmin }) => databaseAdmin.lockMessages(),
  end: ({ databaseAdmin }) => databaseAdmin.unlock(),
};

export const databaseFaults: readonly Fault[] = [
  databaseKilled,
  databaseRestarted,
  databaseHung,
  databaseConnectionsKilled,
  databaseReadOnly,
  databaseFull,
  messagesLocked,
];
