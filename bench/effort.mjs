/** How long each part of a run takes. */
export const thorough = {
  httpRounds: 4,
  httpSeconds: 2.5,
  httpWarmUpSeconds: 3,
  disk: true,
  memoryRequests: 100_000,
  memorySeconds: 45,
  partMs: 200,
  liveRounds: 3,
  liveSeconds: 3,
  liveWarmUpSeconds: 3,
  quietSeconds: 25,
  lookupRounds: 4,
  lookups: 800,
};

/** A run of less than a minute, which shows changes of 50 % but not of 10 %. */
export const quick = {
  httpRounds: 2,
  httpSeconds: 1.2,
  httpWarmUpSeconds: 1,
  disk: false,
  memoryRequests: 10_000,
  memorySeconds: 5,
  partMs: 50,
  liveRounds: 2,
  liveSeconds: 1.2,
  liveWarmUpSeconds: 1.5,
  quietSeconds: 0,
  lookupRounds: 2,
  lookups: 300,
};
