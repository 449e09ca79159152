import { test } from 'vitest'
import { writeFileSync } from 'node:fs'
import { rewritten } from './programs.ts'
import { randomProgram } from './random-programs.ts'
test('x', () => {
    const P = `const S = new Int32Array(new SharedArrayBuffer(64))
export function p(value) { Atomics.load(S, 1); return value }
`
    const p = randomProgram(124)
    writeFileSync('/tmp/hx-transform/p124.mjs', `let steps = 0; const note = (x) => { if (++steps < 40) console.log(String(x).slice(0, 100)); if (steps > 1000) process.exit() };\n` + P + p + '\n main()')
})
