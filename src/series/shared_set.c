/* SPDX-License-Identifier: MIT */
#include "series/shared_set.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct crm_set_pool {
  pthread_mutex_t mutex;
  int users; /* the owner, and each set that is held */
  bool closed;
  /* One is enough: while one set is computed, another waits for its tick, and the one before is with the readers until that. */
  struct crm_shared_set *spare;
};

struct crm_set_pool *crm_set_pool_new(void) {
  struct crm_set_pool *pool = calloc(1, sizeof(*pool));
  if (pool == NULL)
    return NULL;
  pthread_mutex_init(&pool->mutex, NULL);
  pool->users = 1;
  return pool;
}

static void destroy(struct crm_shared_set *shared) {
  if (shared == NULL)
    return;
  crm_set_free(&shared->set);
  free(shared);
}

/* Called with the mutex held, which it lets go of. */
static void leave(struct crm_set_pool *pool) {
  bool last = --pool->users == 0;
  pthread_mutex_unlock(&pool->mutex);
  if (last) {
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
  }
}

void crm_set_pool_free(struct crm_set_pool *pool) {
  if (pool == NULL)
    return;
  pthread_mutex_lock(&pool->mutex);
  struct crm_shared_set *spare = pool->spare;
  pool->spare = NULL;
  pool->closed = true;
  leave(pool);
  destroy(spare);
}

struct crm_shared_set *crm_set_pool_take(struct crm_set_pool *pool) {
  pthread_mutex_lock(&pool->mutex);
  struct crm_shared_set *shared = pool->spare;
  pool->spare = NULL;
  pool->users++;
  pthread_mutex_unlock(&pool->mutex);
  if (shared == NULL) {
    shared = calloc(1, sizeof(*shared));
    if (shared != NULL && crm_set_init(&shared->set) != CRM_OK) {
      free(shared);
      shared = NULL;
    }
  }
  if (shared == NULL) {
    pthread_mutex_lock(&pool->mutex);
    leave(pool);
    return NULL;
  }
  shared->refs = 1;
  shared->pool = pool;
  return shared;
}

struct crm_shared_set *crm_shared_set_ref(struct crm_shared_set *shared) {
  shared->refs++;
  return shared;
}

void crm_shared_set_unref(struct crm_shared_set *shared) {
  if (shared == NULL || --shared->refs > 0)
    return;
  struct crm_set_pool *pool = shared->pool;
  pthread_mutex_lock(&pool->mutex);
  bool keep = !pool->closed && pool->spare == NULL;
  if (keep)
    pool->spare = shared;
  leave(pool);
  if (!keep)
    destroy(shared);
}
