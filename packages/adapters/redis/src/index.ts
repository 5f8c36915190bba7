export { type RedisPresenceStoreOptions, redisPresenceStore } from './redis-presence-store.ts'
