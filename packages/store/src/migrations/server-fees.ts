import type { Knex } from 'knex';

/** The reference server's delivery fees by box, in satoshis. */
const DELIVERY_FEES = { notifications: 10, inbox: 0, payment_inbox: 0 };

/** Puts the default fees into an empty `server_fees`. Existing fees stay. */
export async function seedServerFees(knex: Knex): Promise<void> {
  const existing: unknown[] = await knex('server_fees').select('id').limit(1);
  if (existing.length > 0) return;
  await knex('server_fees').insert(
    Object.entries(DELIVERY_FEES).map(([box, fee]) => ({ message_box: Buffer.from(box), delivery_fee: fee })),
  );
}
