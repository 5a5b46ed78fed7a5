import { type Check, fail, ok, warn } from '../check.js';
import { resultOf } from '../context.js';

/** Connections that other programs than one process of ours need: backups, an operator, the other services. */
const SPARE_CONNECTIONS = 5;
/** Bytes of a statement besides the body. */
const STATEMENT_OVERHEAD_BYTES = 65_536;

/** Whether the server's limits allow what is configured. */
export const databaseLimits: Check = {
  name: 'database limits',
  run: async (context) => {
    const { maxConnections, usedConnections, maxPacketBytes } = await resultOf(context.database, 'the database');
    const { store, limits } = context.config;
    const poolSize = store?.client === 'mysql2' ? (store.poolSize ?? 10) : 0;
    if (maxConnections < poolSize + SPARE_CONNECTIONS) {
      return fail(
        `max_connections is ${maxConnections}, and one process may open ${poolSize}`,
        'Raise max_connections above DB_POOL_SIZE times the number of processes, or lower DB_POOL_SIZE.',
      );
    }
    if (maxPacketBytes < limits.requestBody + STATEMENT_OVERHEAD_BYTES) {
      return fail(
        `max_allowed_packet is ${maxPacketBytes} bytes, and a message may have ${limits.requestBody}`,
        'Raise max_allowed_packet of the server above MAX_BODY_BYTES, or lower MAX_BODY_BYTES.',
      );
    }
    const seen = `${usedConnections} of ${maxConnections} connections in use, ${poolSize} for each process`;
    // A running deployment uses some of them; only what is nearly used up is worth a warning.
    if (usedConnections > maxConnections * 0.9) return warn(seen, 'Raise max_connections.');
    return ok(seen);
  },
};
