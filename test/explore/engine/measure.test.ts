import { it } from 'vitest'
import { appendFileSync } from 'node:fs'
import { explore } from '../../../src/explore/index.ts'

const names = (process.env.MODULES ?? '').split(',')
const ms = Number(process.env.MS ?? 3000)
const only = process.env.ONLY ?? ''
const not = process.env.NOT ?? '\n'
const out = process.env.OUT!
it('measures', async () => {
  for (const name of names) {
    const { scenarios } = await import(`./${name}.ts`)
    for (const s of scenarios) {
      if (!s.name.includes(only) || s.name.includes(not)) continue
      const mode = process.env.XMODE === undefined ? {} : { mode: process.env.XMODE.startsWith('b') ? { bound: Number(process.env.XMODE.slice(1)) } : process.env.XMODE }
      const r = explore({ name: s.name, ...s.options, ...mode, maxMs: ms })
      appendFileSync(out, `${s.name}: ${r.error ? 'FAIL ' + r.error.kind : r.complete ? 'complete' : 'BUDGET'} x${r.executions} blocked ${r.blocked} steps ${(r.steps / r.executions).toFixed(0)} ${r.ms}ms ${((r.ms * 1000) / r.executions).toFixed(0)}us/x ${r.phase}\n`)
      if (r.error && r.error.kind !== s.expect.kind) appendFileSync(out, `${r.error.message}\n${r.error.columns}\n${r.error.minimized}\n${String((r.error.cause as any)?.stack ?? '')}\n\n`)
    }
  }
}, 10_000_000)
