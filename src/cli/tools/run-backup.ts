import { type BackupReport, backupStore } from '../../lsm/backup.ts'
import { fileName } from '../../lsm/file-name.ts'
import { linkFile, type Offline, openForWriting } from '../../lsm/offline.ts'
import type { BackupOptions } from '../backup.ts'
import { bytes, counted } from '../format.ts'
import { Screen } from '../screen.ts'
import { UsageError } from '../usage-error.ts'
import { closing, holdsFiles, reading, storeOn, telling } from './directory.ts'

/** Copies a store; the exit code. */
export function runBackup(options: BackupOptions, screen: Screen = new Screen()): Promise<number> {
  const { directory, target } = options
  return telling('backup', () => {
    const report = reading(directory, (from) => {
      if (holdsFiles(target)) throw new UsageError(`there are files of a store in '${target}': name an empty directory`)
      return closing(openForWriting(target), (to) => copy(from, to, options, screen))
    })
    const files = `${counted(report.tables, 'table')}, ${counted(report.logs, 'log')}`
    const linked = report.linked > 0 ? `, ${bytes(report.linked)} linked` : ''
    screen.line(`backup: ${files}, ${bytes(report.copied)} copied${linked} to ${target}`)
    return 0
  })
}

function copy(from: Offline, to: Offline, { directory, link }: BackupOptions, screen: Screen): BackupReport {
  const reader = storeOn(from.disk, directory)
  let total = 0
  for (const { size } of reader.manifest.tables) total += size
  for (const { id } of reader.chain) total += reader.sizes.get(fileName(id, 'log')) ?? 0
  const progress = screen.quietProgress('copying', total)
  try {
    return backupStore(from.disk, to.disk, {
      manifest: reader.manifest,
      logs: reader.chain.map(({ id }) => id),
      ...(link ? { link: (name: string) => linkFile(from, to, name) } : {}),
      onProgress: (done) => progress.show(done),
    })
  } finally {
    progress.end()
    reader.close()
  }
}
