import { expect, test } from 'vitest'
import { floorOf, projectFiles, type SourceFile } from './source-files.ts'

const KEBAB = /^[a-z0-9]+(?:-[a-z0-9]+)*$/
const KEBAB_FILE = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.(?:test|d))?\.[a-z0-9]+$/

function checkReadmes(files: readonly SourceFile[]): string[] {
  const floors = new Set<string>()
  for (const file of files) {
    const floor = floorOf(file.path)
    if (floor !== undefined) floors.add(floor)
  }
  const problems: string[] = []
  for (const floor of floors) {
    const readme = files.find((file) => file.path === `src/${floor}/README.md`)
    if (readme === undefined) problems.push(`src/${floor} has no README.md`)
    else if (readme.text.trim() === '') problems.push(`src/${floor}/README.md is empty`)
  }
  return problems
}

function checkNames(files: readonly SourceFile[]): string[] {
  const problems: string[] = []
  for (const file of files) {
    const folders = file.path.split('/')
    const name = folders.pop()!
    const good = folders.every((folder) => KEBAB.test(folder)) && (name === 'README.md' || KEBAB_FILE.test(name))
    if (!good) problems.push(`${file.path} is not in kebab case`)
  }
  return problems
}

test('every floor has a README', () => {
  expect(checkReadmes(projectFiles('src'))).toEqual([])
})

test('files are named in kebab case', () => {
  expect(checkNames(projectFiles('src', 'workers', 'test', 'bench'))).toEqual([])
})

test('a floor without a README is reported', () => {
  const file = { path: 'src/tree/deep/a.ts', text: '' }
  expect(checkReadmes([file])).toEqual(['src/tree has no README.md'])
  expect(checkReadmes([file, { path: 'src/tree/README.md', text: ' \n' }])).toEqual(['src/tree/README.md is empty'])
  expect(checkReadmes([file, { path: 'src/tree/README.md', text: '# Tree\n' }])).toEqual([])
})

test.each(['src/tree/pageTable.ts', 'src/Tree/page.ts', 'src/tree/page_table.ts', 'test/tree/-page.test.ts'])(
  'reported: %s',
  (path) => {
    expect(checkNames([{ path, text: '' }])).toHaveLength(1)
  },
)

test.each(['src/tree/page-table.ts', 'src/tree/README.md', 'test/a/page-table.test.ts', 'test/support/b2.mjs'])(
  'accepted: %s',
  (path) => {
    expect(checkNames([{ path, text: '' }])).toEqual([])
  },
)
