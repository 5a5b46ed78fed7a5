import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { MessageBoxClient } from '@bsv/message-box-client';
import { CompletedProtoWallet, PrivateKey } from '@bsv/sdk';
import { startMessageBox } from 'messagebox';
import { Guestbook } from '../src/guestbook.js';

describe('a guest book', () => {
  let server;
  before(async () => {
    server = await startMessageBox();
  });
  after(() => server.close());

  /** A new identity with a guest book of its own. */
  function createPerson() {
    const key = PrivateKey.fromRandom();
    const walletClient = new CompletedProtoWallet(key);
    const client = new MessageBoxClient({ host: server.url, walletClient, networkPreset: 'local' });
    return { key: key.toPublicKey().toString(), book: new Guestbook(client, server.url) };
  }

  test('shows what was written and who wrote it', async () => {
    const [owner, guest] = [createPerson(), createPerson()];
    await guest.book.sign(owner.key, 'Lovely place!');
    assert.deepEqual(await owner.book.read(), [{ author: guest.key, text: 'Lovely place!' }]);
  });

  test('belongs to its owner only', async () => {
    const [owner, guest] = [createPerson(), createPerson()];
    await guest.book.sign(owner.key, 'Lovely place!');
    assert.deepEqual(await guest.book.read(), []);
  });

  test('takes nothing from somebody who is blocked', async () => {
    const [owner, guest] = [createPerson(), createPerson()];
    await owner.book.block(guest.key);
    await assert.rejects(guest.book.sign(owner.key, 'Buy this!'));
    assert.deepEqual(await owner.book.read(), []);
  });
});
