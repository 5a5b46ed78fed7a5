#!/usr/bin/env node
import { runCliProcess } from '../dist/index.js';

await runCliProcess();
