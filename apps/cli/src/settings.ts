import { ConfigError, type LoadedConfig, loadConfig } from '@sgs-chat/server/config'

/** The server's settings as this environment gives them; undefined when it could not start with them, and why was said. */
export function loadedSettings(): LoadedConfig | readonly string[] {
  try {
    return loadConfig()
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}
