import { type DirectoryStat, statDirectory, type TableFigures } from '../../lsm/directory-stat.ts'
import { bytes, counted, grouped, table } from '../format.ts'
import { Screen } from '../screen.ts'
import type { StatOptions } from '../stat.ts'
import { reading, storeOn, telling } from './directory.ts'
import { shown } from './json-lines.ts'

const KEY_CELLS = 24

/** Prints figures; the exit code. */
export function runStat(options: StatOptions, screen: Screen = new Screen()): Promise<number> {
  const { directory } = options
  return telling('stat', () => {
    const stat = reading(directory, ({ disk }) => statDirectory(storeOn(disk, directory)))
    if (options.json) screen.line(JSON.stringify(asJson(stat), undefined, 2))
    else for (const line of asText(stat, options)) screen.line(line)
    return 0
  })
}

/** Keys and settings as JSON can hold them. */
function asJson(stat: DirectoryStat): unknown {
  const keys = ({ smallest, greatest }: TableFigures): object => ({
    smallest: shown(smallest),
    greatest: shown(greatest),
  })
  return {
    ...stat,
    manifest: { ...stat.manifest, settings: shown(stat.manifest.settings) },
    levels: stat.levels.map((level) => ({ ...level, ...keys(level) })),
    tables: stat.tables.map(
      ({ file, level, entries, deletes, bytes: size, leastSequence, greatestSequence, ...rest }) => ({
        file,
        level,
        entries,
        deletes,
        bytes: size,
        leastSequence,
        greatestSequence,
        ...keys({ entries, deletes, bytes: size, ...rest }),
      }),
    ),
  }
}

function asText(stat: DirectoryStat, { directory, tables }: StatOptions): string[] {
  const { manifest, space, logs, records, puts, deletes, orphans } = stat
  const settings = Buffer.from(manifest.settings).toString()
  const lines = [
    `store in ${directory}`,
    ...table([
      ['manifest', manifest.file],
      ['generation', `0x${stat.generation.toString(16)}`],
      ['settings', settings === '' ? 'none' : settings],
      ['flushed up to LSN', grouped(stat.flushedLsn)],
      ['logs end at LSN', grouped(stat.endLsn)],
      ['next file', grouped(stat.nextFileId)],
      ['tables take', bytes(space.table)],
      ['logs take', bytes(space.log)],
      ['the manifest takes', bytes(space.manifest)],
      ['files that nobody needs', orphans.length === 0 ? 'none' : `${orphans.length}, ${bytes(space.orphans)}`],
      ['all files take', bytes(space.total)],
    ]),
    '',
    `logs: ${counted(logs.length, 'file')}, ${counted(records, 'record')} that no table has: ${puts} put, ${deletes} deleted`,
    ...logs.map(({ file, bytes: size, base }) => `  ${file}  ${bytes(size)}, from LSN ${grouped(base)}`),
    '',
    stat.levels.length === 0 ? 'no tables' : 'tables by level',
    ...stat.levels.map((level) => `  level ${level.level}  ${counted(level.tables, 'table')}, ${figures(level)}`),
  ]
  if (stat.levels.length > 1) lines.push(`  in all   ${total(stat.levels)}`)
  if (tables && stat.tables.length > 0) {
    lines.push('', 'tables')
    for (const each of stat.tables) lines.push(`  level ${each.level}  ${each.file}  ${figures(each)}`)
  }
  return lines
}

/** What a store has in its tables: with less memory than that it is partial, and reads some of it from disk. */
function total(levels: DirectoryStat['levels']): string {
  const sum = (which: 'tables' | 'entries' | 'deletes' | 'bytes'): number =>
    levels.reduce((all, level) => all + level[which], 0)
  const entries = `${grouped(sum('entries'))} entries (${grouped(sum('deletes'))} deletes)`
  return `${counted(sum('tables'), 'table')}, ${entries}, ${bytes(sum('bytes'))}`
}

function figures({ entries, deletes, bytes: size, smallest, greatest }: TableFigures): string {
  const kinds = `${entries === 1 ? '1 entry' : `${grouped(entries)} entries`} (${grouped(deletes)} deletes)`
  return `${kinds}, ${bytes(size)}, ${keyText(smallest)} to ${keyText(greatest)}`
}

function keyText(key: Uint8Array): string {
  const text = shown(key)
  const whole = typeof text === 'string' ? JSON.stringify(text) : `0x${Buffer.from(key).toString('hex')}`
  return whole.length <= KEY_CELLS ? whole : `${whole.slice(0, KEY_CELLS - 3)}...`
}
