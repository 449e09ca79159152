import { verifyDirectory, type VerifyReport } from '../../lsm/directory-verify.ts'
import type { Finding } from '../../lsm/findings.ts'
import { parseFileName } from '../../lsm/file-name.ts'
import type { Disk } from '../../lsm/disk.ts'
import { bytes, counted, grouped } from '../format.ts'
import type { Screen } from '../screen.ts'
import type { VerifyOptions } from '../verify.ts'
import { barsOnStderr, reading, telling } from './directory.ts'

/** Checks a directory; the exit code. */
export function runVerify(options: VerifyOptions, screen: Screen = barsOnStderr()): Promise<number> {
  return telling('verify', () => {
    const report = reading(options.directory, ({ disk }) => {
      const progress = screen.quietProgress('verifying', bytesOn(disk))
      try {
        return verifyDirectory(disk, (done) => progress.show(done))
      } finally {
        progress.end()
      }
    })
    const { wrong, notes, counts } = report
    if (options.json) screen.line(JSON.stringify({ wrong, notes, counts }, undefined, 2))
    else print(report, screen)
    return wrong.length === 0 ? 0 : 1
  })
}

function bytesOn(disk: Disk): number {
  let total = 0
  for (const name of disk.list()) if (parseFileName(name) !== undefined) total += disk.sizeOf(name) ?? 0
  return total
}

function print({ wrong, notes, counts }: VerifyReport, screen: Screen): void {
  for (const finding of wrong) screen.line(lineOf(finding))
  for (const note of notes) process.stderr.write(`note: ${lineOf(note)}\n`)
  const tables = `${counted(counts.tables, 'table')} with ${counted(counts.blocks, 'block')} and ${grouped(counts.entries)} entries`
  const logs = `${counted(counts.logs, 'log')} with ${counted(counts.records, 'record')} and ${counted(counts.changes, 'change')}`
  const what = `${counted(counts.manifests, 'manifest')}, ${tables}, ${logs}, ${bytes(counts.bytes)}`
  screen.line(`verify: ${what}: ${wrong.length === 0 ? 'nothing is wrong' : counted(wrong.length, 'finding')}`)
}

function lineOf({ file, offset, what }: Finding): string {
  return `${file} offset ${offset}: ${what}`
}
