import { closeSync, openSync } from 'node:fs'
import { counted } from '../format.ts'
import type { GenerateOptions } from '../replay.ts'
import { Screen } from '../screen.ts'
import { UsageError } from '../usage-error.ts'
import { writeAll } from '../write-all.ts'
import { generate } from './generate.ts'

const LINES_PER_WRITE = 1000
const STDOUT = 1

/** Writes the operations; the exit code. */
export function runGenerate(options: GenerateOptions, screen: Screen = new Screen()): number {
  const { file } = options
  const to = file === undefined ? STDOUT : create(file)
  const progress = screen.quietProgress('generating', options.lines)
  try {
    let lines: string[] = []
    let made = 0
    for (const line of generate(options)) {
      lines.push(line)
      if (line !== 'BARRIER') made++
      if (lines.length < LINES_PER_WRITE) continue
      if (!writeAll(to, `${lines.join('\n')}\n`)) return 0
      lines = []
      if (file !== undefined) progress.show(made)
    }
    if (lines.length > 0) writeAll(to, `${lines.join('\n')}\n`)
  } finally {
    progress.end()
    if (file !== undefined) closeSync(to)
  }
  if (file !== undefined) screen.line(`${file}: ${counted(options.lines, 'operation')}, seed ${options.seed}`)
  return 0
}

function create(file: string): number {
  try {
    return openSync(file, 'w')
  } catch (error) {
    throw new UsageError(`cannot write '${file}': ${(error as Error).message}`)
  }
}
