/** A worker of `heddle soak`, or its watchdog. */
import { writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { Control } from '../src/cli/soak/control.ts'
import { soak, type SoakWork } from '../src/cli/soak/worker.ts'

interface Watch {
  readonly watch: SharedArrayBuffer
  readonly limitMs: number
}

/** Ends a process whose main thread no longer gets on: it could not do so itself. */
function watch({ watch: control, limitMs }: Watch): void {
  if (new Control(control).watchUntilEnd(limitMs)) return
  writeSync(2, `violation: the program has not got on for ${limitMs / 1000} s; it is killed\n`)
  process.kill(process.pid, 'SIGKILL')
}

const work = workerData as SoakWork | Watch
if ('watch' in work) watch(work)
else void soak(work, (text) => parentPort!.postMessage(text))
