import { type JobQueue, openJobQueue, PostponeJobError, type ServiceContext } from '@messagebox/shared';
import type { PushOutbox } from '@messagebox/store';
import { pushPolicy } from './push-handler.js';
import { PUSH } from './push-worker.js';

const RETRY_AFTER_MS = 5_000;

/**
 * Moves the pushes that version 0.1.0 has left as jobs in Redis into the outbox. Such versions may still be running, and
 * handle some of these jobs themselves. A later version may drop this.
 *
 * @returns undefined without Redis, where no jobs are left
 */
export function adoptPushJobs(context: ServiceContext, outbox: PushOutbox, notify: () => void): JobQueue | undefined {
  if (context.redis === undefined) return undefined;
  const queue = openJobQueue(PUSH, context, pushPolicy);
  const adopt = async ({ data }: { data: Record<string, unknown> }) => {
    const delivery = {
      device: Number(data['device']),
      recipient: String(data['recipient']),
      sender: String(data['originator']),
      messageId: String(data['messageId']),
      createdAt: Number(data['createdAt']),
    };
    await outbox.addDeliveries([delivery]).catch((error: unknown) => {
      // This must not use up the attempts of the job.
      throw new PostponeJobError(String(error), { afterMs: RETRY_AFTER_MS });
    });
    notify();
    return undefined;
  };
  queue.work({ [PUSH]: adopt }, { concurrency: 16 });
  return queue;
}
