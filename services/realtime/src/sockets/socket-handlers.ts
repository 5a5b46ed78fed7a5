import type { AuthSocket, AuthSocketHandlers, DeliveryProblem } from '@messagebox/brc103/socket-io';
import {
  type FairScheduler,
  getRateLimitedLog,
  type LimitHitReporter,
  type Logger,
  type Metrics,
  type Source,
} from '@messagebox/shared';
import type { EventDispatcher } from '../events/event-dispatcher.js';
import { readMeta } from '../recovery/push-broadcast.js';
import type { ConnectionRooms } from '../replay/connection-rooms.js';
import type { DeliveryTraces } from './delivery-traces.js';

export interface SocketHandlersOptions {
  readonly dispatcher: EventDispatcher;
  readonly connectionRooms: ConnectionRooms;
  readonly scheduler: FairScheduler;
  /** Returns the address and the identity to which the work for a socket is charged. */
  readonly getSource: (socket: AuthSocket) => Source;
  readonly metrics: Metrics;
  readonly deliveryTraces: DeliveryTraces;
  readonly limitsHit: LimitHitReporter;
  readonly log: Logger;
}

/** The cost of a refused frame for its source, in addition to the time of its verification. */
const REFUSED_FRAME_COST_MS = 5;
/** Delivery problems that are limits, and the name of the limit. */
const LIMIT_OF_PROBLEM: ReadonlyMap<DeliveryProblem, string> = new Map([
  ['too_slow', 'slow_clients'],
  ['frame_too_slow', 'frame_pace'],
  ['overloaded', 'waiting_frames'],
]);

/** Passes verified events to the dispatcher, and counts and logs everything else that happens to sockets. */
export function createSocketHandlers(options: SocketHandlersOptions): AuthSocketHandlers {
  const { dispatcher, connectionRooms, scheduler, getSource, metrics, deliveryTraces, limitsHit, log } = options;
  const limitedLog = getRateLimitedLog(log);
  return {
    onOpen: (socket) => {
      dispatcher.open(socket);
      scheduler.noteProven(getSource(socket));
      metrics.authOutcomes.inc({ transport: 'socket', outcome: 'ok' });
    },
    onEvent: (socket, event) => dispatcher.dispatch(socket, event),
    onRefused: (socket, error) => {
      scheduler.charge(getSource(socket), REFUSED_FRAME_COST_MS);
      metrics.authOutcomes.inc({ transport: 'socket', outcome: error.code });
      limitedLog.write('info', { socket: socket.id, code: error.code, reason: error.message }, 'frame refused');
    },
    onDelivered: (socket, _event, meta) => {
      metrics.delivered.inc();
      deliveryTraces.endPush(socket, meta);
      const { publishedAt } = readMeta({ meta });
      if (publishedAt !== undefined) metrics.deliveryLatency.observe(Math.max(0, Date.now() - publishedAt) / 1_000);
    },
    onUndelivered: (socket, problem) => {
      metrics.undelivered.inc({ reason: problem });
      const limit = LIMIT_OF_PROBLEM.get(problem);
      if (limit !== undefined) limitsHit.report(limit);
      limitedLog.write('info', { socket: socket.id, problem }, 'event not sent to socket');
    },
    onLimitHit: limitsHit.report,
    onClose: (socket, reason) => {
      connectionRooms.end(socket);
      deliveryTraces.endSocket(socket);
      log.debug({ socket: socket.id, reason }, 'socket closed');
    },
  };
}
