/** A small app: a guest book whose entries are messages, so that each has a proven author. */
export class Guestbook {
  /**
   * @param {import('@bsv/message-box-client').MessageBoxClient} client
   * @param {string} host
   */
  constructor(client, host) {
    this.client = client;
    this.host = host;
  }

  /** Signs the book of somebody. */
  async sign(owner, text) {
    await this.client.sendMessage({ recipient: owner, messageBox: 'guestbook', body: text }, this.host);
  }

  /** The entries in the own book, oldest first. */
  async read() {
    const messages = await this.client.listMessages({ messageBox: 'guestbook', host: this.host });
    return messages.map(({ sender, body }) => ({ author: sender, text: body }));
  }

  /** Lets somebody sign the own book no more. */
  async block(author) {
    await this.client.setMessageBoxPermission({ messageBox: 'guestbook', sender: author, recipientFee: -1 }, this.host);
  }
}
