import { createHash, randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import {
  IDENTITY_OVERHEAD_BYTES,
  LOSS_KEPT_MS,
  type RememberedRoom,
  ROOM_DIGEST_LENGTH,
  ROOM_MEMORY_LIMITS,
  ROOM_OVERHEAD_BYTES,
  ROOM_RETENTION_MS,
  type RoomMemory,
  type RoomMemoryLimits,
  toRoomSuffix,
} from './room-memory.js';
import {
  END_CONNECTION_SCRIPT,
  FORGET_ROOM_SCRIPT,
  FREEZE_CONNECTION_SCRIPT,
  REMEMBER_ROOMS_SCRIPT,
} from './room-memory-scripts.js';

type Script = 'rememberRooms' | 'forgetRoom' | 'freezeConnection' | 'endConnection';
type ScriptedRedis = Redis & Record<Script, (...args: (string | number)[]) => Promise<unknown>>;

/** Longer than the records that name it are used. */
const EPOCH_LIFE_MS = ROOM_RETENTION_MS + 3_600_000;

/**
 * A room memory in Redis, for all realtime instances. Its keys are a sorted set of rooms for each identity, scored by the time
 * of use; a hash with a record for each of its connections; a sorted set of all identities; and a hash with the bytes of each
 * identity. Scripts change them together.
 *
 * The records of open connections name an epoch of their instance, and the instance keeps the position of its epoch in a key
 * of its own. A write that fails may have left a connection open that has ended. Then the instance begins a new epoch, so that
 * the position of such a connection is renewed no more.
 *
 * The key of the epoch also tells whether Redis has lost its data: then the key is no longer there when it is renewed. So does
 * the mark, a random text that whoever finds none writes. A process that finds another mark than before, or that has to write
 * it and could not reach Redis before, writes down for all instances that there was a loss.
 */
export function createRedisRoomMemory(
  commands: Redis,
  prefix: string,
  now: () => number = Date.now,
  limits: RoomMemoryLimits = ROOM_MEMORY_LIMITS,
): RoomMemory {
  for (const [name, lua] of SCRIPTS) commands.defineCommand(name, { numberOfKeys: 4, lua });
  const scripted = commands as ScriptedRedis;
  const [roomsPrefix, connectionsPrefix] = [`${prefix}:joined:`, `${prefix}:joined-by:`];
  const markKey = `${prefix}:joined-mark`;
  const lossKey = `${prefix}:joined-loss`;
  const toEpochKey = (epoch: string) => `${prefix}:joined-epoch:${epoch}`;
  const run = (script: Script, identityKey: string, ...args: (string | number)[]) =>
    scripted[script](
      `${roomsPrefix}${identityKey}`,
      `${prefix}:joined-identities`,
      `${prefix}:joined-bytes`,
      `${connectionsPrefix}${identityKey}`,
      identityKey,
      now(),
      ROOM_RETENTION_MS,
      ROOM_OVERHEAD_BYTES,
      IDENTITY_OVERHEAD_BYTES,
      ...args,
    );
  let epoch = createEpoch();
  let position: number | undefined;
  /** Whether rooms could not be written since the last renewal. */
  let hasGap = false;
  /** As it was at the last renewal. */
  let mark: string | undefined;
  /** Whether a renewal has failed since the last one that did not. */
  let wasAway = false;
  let hasToTellLoss = false;

  async function beginEpochOnFailure<T>(write: Promise<T>): Promise<T> {
    const current = epoch;
    try {
      return await write;
    } catch (error) {
      if (epoch === current) epoch = createEpoch();
      throw error;
    }
  }

  async function findLoss(): Promise<number | undefined> {
    return parsePosition((await commands.get(lossKey)) ?? '');
  }

  async function tellLoss(current: number): Promise<void> {
    const earlier = await findLoss();
    await commands.set(lossKey, Math.min(earlier ?? current, current), 'PX', LOSS_KEPT_MS);
  }

  return {
    async remember(identityKey, connection, rooms, ownPosition) {
      const suffixes = rooms.flatMap((room) => toRoomSuffix(identityKey, room) ?? []);
      if (suffixes.length === 0) return;
      const write = run(
        'rememberRooms',
        identityKey,
        connection,
        ownPosition === undefined ? epoch : '',
        ownPosition ?? position ?? '',
        roomsPrefix,
        connectionsPrefix,
        limits.rooms,
        limits.nameBytes,
        limits.connections,
        limits.connectionBytes,
        limits.identities,
        limits.totalBytes,
        // The number of arguments of a script is limited. The most recently joined rooms are last.
        ...suffixes.slice(-limits.rooms),
      );
      try {
        await write;
      } catch (error) {
        hasGap = true;
        throw error;
      }
    },
    async forget(identityKey, connection, room) {
      const suffix = toRoomSuffix(identityKey, room);
      if (suffix !== undefined) await run('forgetRoom', identityKey, connection, suffix, room);
    },
    async freeze(identityKey, connection) {
      await beginEpochOnFailure(run('freezeConnection', identityKey, connection, position ?? ''));
    },
    async end(identityKey, connection) {
      await beginEpochOnFailure(run('endConnection', identityKey, connection, position ?? ''));
    },
    async renew(current) {
      position = current;
      const key = toEpochKey(epoch);
      const hadGap = hasGap;
      hasGap = false;
      const ownMark = mark ?? createEpoch();
      try {
        // The commands are sent at once, in this order.
        const [previous, written, found] = await beginEpochOnFailure(
          Promise.all([
            commands.get(key),
            commands.set(markKey, ownMark, 'NX'),
            commands.get(markKey),
            commands.set(key, current, 'PX', EPOCH_LIFE_MS),
          ]),
        );
        // A process that could reach Redis since its start, and has never found a mark, may be the first of all.
        hasToTellLoss ||= mark === undefined ? wasAway && written !== null : written !== null || found !== mark;
        mark = found ?? undefined;
        if (hasToTellLoss) await tellLoss(current);
        hasToTellLoss = false;
        wasAway = false;
        // A new epoch has no key yet: the first one of the process, and one that begins when a write has failed.
        return previous !== null && !hadGap;
      } catch (error) {
        wasAway = true;
        throw error;
      }
    },
    findLoss,
    async recall(identityKey, exceptConnection) {
      const oldest = now() - ROOM_RETENTION_MS;
      const [members, records] = await Promise.all([
        commands.zrevrangebyscore(`${roomsPrefix}${identityKey}`, '+inf', oldest),
        commands.hgetall(`${connectionsPrefix}${identityKey}`),
      ]);
      // Version 0.1.0 stored whole names. A suffix begins with a hyphen, and a whole name never does.
      const rooms = new Set(members.map((one) => (one.startsWith('-') ? `${identityKey}${one}` : one)));
      const connections = Object.entries(records)
        .filter(([connection]) => connection !== exceptConnection)
        .map(([, record]) => parseRecord(record))
        .filter(({ usedAt }) => usedAt >= oldest);
      const epochs = [...new Set(connections.flatMap((one) => (one.epoch === '' ? [] : [one.epoch])))];
      const positions = epochs.length === 0 ? [] : await commands.mget(epochs.map(toEpochKey));
      const positionOfEpoch = new Map(epochs.map((one, i) => [one, positions[i] ?? '']));
      return [...rooms].map((room) => toRememberedRoom(identityKey, room, connections, positionOfEpoch));
    },
    onReachable(listener) {
      commands.on('ready', listener);
      return () => commands.off('ready', listener);
    },
  };
}

const SCRIPTS: readonly (readonly [Script, string])[] = [
  ['rememberRooms', REMEMBER_ROOMS_SCRIPT],
  ['forgetRoom', FORGET_ROOM_SCRIPT],
  ['freezeConnection', FREEZE_CONNECTION_SCRIPT],
  ['endConnection', END_CONNECTION_SCRIPT],
];

interface ConnectionRecord {
  /** Empty when the position is not renewed. */
  readonly epoch: string;
  readonly usedAt: number;
  /** Undefined when it is not known. */
  readonly position: number | undefined;
  /** Digests. */
  readonly rooms: ReadonlySet<string>;
}

function parseRecord(record: string): ConnectionRecord {
  const [epoch = '', usedAt, position = '', held = ''] = record.split('|');
  return {
    epoch,
    usedAt: Number(usedAt),
    position: parsePosition(position),
    rooms: new Set(held.match(new RegExp(`.{${ROOM_DIGEST_LENGTH}}`, 'g'))),
  };
}

function parsePosition(text: string): number | undefined {
  return text === '' ? undefined : Number(text);
}

function toRememberedRoom(
  identityKey: string,
  room: string,
  connections: readonly ConnectionRecord[],
  positionOfEpoch: ReadonlyMap<string, string>,
): RememberedRoom {
  const digest = createHash('sha1').update(room.slice(identityKey.length)).digest('hex').slice(0, ROOM_DIGEST_LENGTH);
  const positions = connections
    .filter(({ rooms }) => rooms.has(digest))
    .flatMap(({ epoch, position }) => {
      const known = [position, parsePosition(positionOfEpoch.get(epoch) ?? '')].filter((one) => one !== undefined);
      return known.length === 0 ? [] : [Math.max(...known)];
    });
  return { room, since: positions.length === 0 ? undefined : Math.min(...positions) };
}

function createEpoch(): string {
  return randomBytes(9).toString('base64url');
}
