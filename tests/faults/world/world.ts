import type { Edge } from '../../rolling/edge.ts';
import type { ManagedServer } from '../../support/managed-servers.ts';
import type { TcpProxy } from '../../support/tcp-proxy.ts';
import type { DatabaseAdmin } from './database-admin.ts';
import type { RedisAdmin } from './redis-admin.ts';
import type { Service } from './service.ts';

/** The servers of one trial, with everything that a fault may do to them. */
export interface World {
  readonly redis: ManagedServer;
  readonly redisAdmin: RedisAdmin;
  readonly database: ManagedServer;
  readonly databaseAdmin: DatabaseAdmin;
  readonly apis: readonly [Service, Service];
  readonly realtimes: readonly [Service, Service];
  readonly overlay: Service;
  /** All of them. */
  readonly services: readonly Service[];
  /** The load balancer. */
  readonly edge: Edge;
  /** The link between clients and the load balancer. */
  readonly front: TcpProxy;
  /** Resolves when the load balancer has heard from each api and realtime instance that it is ready. */
  waitUntilReady(): Promise<void>;
  close(): Promise<void>;
}
