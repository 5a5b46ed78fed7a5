import { describeWithMysql } from '@messagebox/test-support/with-mysql';
import { LocalChain } from '../src/index.js';
import { createTemporaryMysqlDatabase } from './support/databases.js';
import { localChainSuite } from './support/local-chain-suite.js';

describeWithMysql('the local chain on MySQL', () => {
  localChainSuite(createTemporaryMysqlDatabase);

  test('several processes that start at once create one chain', async () => {
    const { config, remove } = await createTemporaryMysqlDatabase();
    const chains = await Promise.all([1, 2, 3].map(() => LocalChain.open(config)));
    const heights = await Promise.all(chains.map(({ tracker }) => tracker.currentHeight()));
    expect(heights).toEqual([100, 100, 100]);
    await Promise.all(chains.map((chain) => chain.close()));
    await remove();
  });
});
