export { History, until, within } from '@messagebox/test-kit';
