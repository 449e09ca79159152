import { test } from 'vitest'
import { same } from './programs.ts'
import { randomProgram } from './random-programs.ts'
test('x', () => { const t = performance.now(); let n = 0
  for (let seed = 1000; performance.now() - t < 240000; seed++) { n++; try { same(randomProgram(seed)) } catch (e) { console.log('SEED', seed, String((e as Error).message).slice(-1500)) ; throw e } }
  console.log('done', n)
}, 300000)
