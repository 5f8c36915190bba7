export { type BumpedEpoch, bumpEpoch } from './bump-epoch.ts'
export { type SqliteChatStore, type SqliteChatStoreOptions, sqliteChatStore } from './sqlite-chat-store.ts'
export { type StoredChats, storedChats } from './stored-chats.ts'
