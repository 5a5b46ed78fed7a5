import type { Command } from 'commander';
import { addClientOptions, type ClientOptions, openClient } from '../../arguments/client-options.js';
import { confirm } from '../../arguments/confirm.js';
import { parseIdentityKey } from '../../arguments/parsers.js';
import { getField, getList, getNumber, getText } from '../../client/fields.js';
import type { CliIo } from '../../io.js';
import { formatBytes, formatNumber } from '../../output/format.js';
import { Printer } from '../../output/printer.js';

interface IdentityOptions extends ClientOptions {
  readonly reason?: string;
  readonly box?: string;
  readonly yes?: boolean;
}

/** `admin identity`, `block`, `unblock` and `purge`. */
export function addIdentityCommands(group: Command, io: CliIo): void {
  const add = (name: string, description: string) =>
    addClientOptions(group.command(name).argument('<key>', 'an identity key', parseIdentityKey)).description(
      description,
    );

  add('identity', 'Shows what is known of an identity: its use of the server, never bodies.').action(
    async (key: string, options: IdentityOptions) => {
      const { client } = await openClient(io, options);
      const answer = await client.get(`/admin/identities/${key}`);
      const printer = new Printer(io);
      if (options.json === true) return printer.json(answer);
      printIdentity(printer, key, answer);
    },
  );

  add('block', 'Blocks an identity: it can not use the server any more. Messages to it are stored as ever.')
    .option('--reason <text>', 'why; other operators see it')
    .action(async (key: string, options: IdentityOptions) => {
      const { client } = await openClient(io, options);
      const { reason } = options;
      await client.post(`/admin/identities/${key}/block`, reason === undefined ? {} : { reason });
      report(io, options, { identityKey: key, blocked: true }, `Blocked ${key}`);
    });

  add('unblock', 'Lets a blocked identity use the server again.').action(
    async (key: string, options: IdentityOptions) => {
      const { client } = await openClient(io, options);
      await client.post(`/admin/identities/${key}/unblock`, {});
      report(io, options, { identityKey: key, blocked: false }, `Unblocked ${key}`);
    },
  );

  add('purge', 'Removes the messages of an identity, except those that carry a payment.')
    .option('--box <name>', 'only in this box')
    .option('-y, --yes', 'do not ask')
    .action(async (key: string, options: IdentityOptions) => {
      const { box } = options;
      const what = box === undefined ? 'all messages' : 'all messages in that box';
      if (options.yes !== true) await confirm(io, `This removes ${what} of ${key} for good.`, 'purge');
      const { client } = await openClient(io, options);
      const answer = await client.post(`/admin/identities/${key}/purge`, box === undefined ? {} : { messageBox: box });
      const [removed, kept] = [getNumber(answer, 'removed'), getNumber(answer, 'kept')];
      report(io, options, { identityKey: key, removed, kept }, `Removed ${removed}, kept ${kept} that carry a payment`);
    });
}

function report(io: CliIo, options: ClientOptions, facts: object, text: string): void {
  const printer = new Printer(io);
  if (options.json === true) printer.json(facts);
  else printer.note(`${text}.`);
}

function printIdentity(printer: Printer, key: string, answer: unknown): void {
  const [blocked, received, sent] = ['blocked', 'received', 'sent'].map((name) => getField(answer, name));
  const amount = (value: unknown) =>
    `${formatNumber(getNumber(value, 'messages'))} messages, ${formatBytes(getNumber(value, 'bytes'))}`;
  const isBlocked = blocked !== null && blocked !== undefined;
  printer.facts({
    identity: key,
    blocked: isBlocked ? `since ${getText(blocked, 'since')} by ${getText(blocked, 'by')}` : 'no',
    reason: isBlocked ? getText(blocked, 'reason') || undefined : undefined,
    received: amount(received),
    sent: amount(sent),
    devices: getNumber(answer, 'devices'),
    permissions: getNumber(answer, 'permissions'),
  });
  const boxes = getList(answer, 'boxes');
  if (boxes.length === 0) return;
  printer.line();
  printer.table(
    ['MESSAGES', 'BYTES', 'BOX'],
    boxes.map((box) => [
      getNumber(box, 'messages') ?? 0,
      formatBytes(getNumber(box, 'bytes')),
      getText(box, 'messageBox'),
    ]),
  );
}
