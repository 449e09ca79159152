/** The source transform: makes functions that reach shared memory pausable, and tells the scheduler what they do. */
export { crawl } from './crawl.ts'
export { stripTypes } from './strip.ts'
export { instrumentSources, Project, type Instrumented, type Module, type ProjectOptions } from './project.ts'
