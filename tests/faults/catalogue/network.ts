import type { Fault } from './fault.ts';
import { repeatedly } from './repeat.ts';

/** Nothing happens. When this one fails, the machine is too busy, and the other lines mean nothing. */
const none: Fault = { name: 'none', does: 'nothing', seconds: 1, start: () => undefined };

export const edgeCutsEverybody: Fault = {
  name: 'edge-cuts-everybody',
  does: 'the load balancer cuts all connections of clients',
  seconds: 0,
  start: ({ front }) => front.cut(),
};

const edgeCutsOften = repeatedly({
  name: 'edge-cuts-often',
  does: 'the load balancer cuts all connections of clients every 2 s for 10 s',
  seconds: 10,
  everyMs: 2_000,
  act: ({ front }) => front.cut(),
});

const edgeAway: Fault = {
  name: 'edge-away',
  does: 'the load balancer cuts everybody, and is away for 5 s',
  seconds: 5,
  start: ({ front }) => {
    front.refuse();
    front.cut();
  },
  end: ({ front }) => front.accept(),
};

export const slowNetwork: Fault = {
  name: 'slow-network',
  does: 'the network of clients is slow for 10 s: 150 ms and 128 KB/s in each direction',
  seconds: 10,
  start: ({ front }) => {
    front.setDelay(150);
    front.setRate(131_072);
  },
  end: ({ front }) => {
    front.setDelay(0);
    front.setRate(undefined);
  },
};

export const networkFaults: readonly Fault[] = [none, edgeCutsEverybody, edgeCutsOften, edgeAway, slowNetwork];
