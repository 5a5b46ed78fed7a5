/**
 * Takes the money of a payment (BRC-29), and then acknowledges its message. The order matters: an acknowledged message is gone.
 * `PeerPayClient.acceptPayment` does the same, but asks the overlay of the main network which hosts to acknowledge at.
 *
 * @param {import('@bsv/message-box-client').IncomingPayment} payment
 * @param {{ client: import('@bsv/message-box-client').PeerPayClient, wallet: import('@bsv/sdk').WalletInterface, host: string }} at
 */
export async function acceptPayment({ messageId, sender, token }, { client, wallet, host }) {
  const { derivationPrefix, derivationSuffix } = token.customInstructions;
  const { accepted } = await wallet.internalizeAction({
    tx: token.transaction,
    outputs: [
      {
        outputIndex: token.outputIndex ?? 0,
        protocol: 'wallet payment',
        paymentRemittance: { derivationPrefix, derivationSuffix, senderIdentityKey: sender },
      },
    ],
    description: 'Payment from an inbox',
  });
  if (!accepted) throw new Error('The wallet did not accept the payment, so it stays in the inbox.');
  await client.acknowledgeMessage({ messageIds: [messageId], host });
}
