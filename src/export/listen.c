/* SPDX-License-Identifier: MIT */
#include "crm_config.h"

#include "export/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "export/token.h"

enum {
  THREADS = 2, /* one renders, the other still answers */
  BACKLOG = 256,
  REQUEST_MAX_BYTES = 16384, /* memory of one connection: a longer request is refused */
  FILE_MAX_BYTES = 1 << 20,  /* of a certificate or key */
  ANSWER_TIMEOUTS = 4,
  SLOWEST_AT_LIMIT = 65536, /* bytes a second */
};
static const int64_t retry_us = 5 * CRM_US_PER_SECOND, idle_at_limit_us = CRM_US_PER_SECOND, certificate_check_us = 10 * CRM_US_PER_SECOND;

/* Whom an open connection waits for. */
enum phase {
  ASKING, /* a whole request */
  SERVED, /* us, who make a page */
  TAKING, /* the other side, to take the answer */
};

struct connection {
  struct connection *next, *previous;
  struct crm_listen *listen;
  int fd;
  enum phase phase;
  int64_t since_us;     /* when it came, and then when the present phase began */
  uint64_t taken_bytes; /* by the other side, when the present answer began */
};

struct crm_listen {
  const struct crm_listen_options *options;
  struct crm_pages *pages;
  const struct crm_log *log;
  struct MHD_Daemon *daemon;                           /* NULL: not open */
  char *certificate, *key;                             /* in use by the daemon */
  uint64_t certificate_version, key_version;           /* in use */
  uint64_t last_certificate_version, last_key_version; /* at the last look */
  int64_t next_try_us, next_check_us;
  struct crm_complaint closed;
  _Atomic(bool) starting;
  char why[200]; /* libmicrohttpd's own words about a start that failed */
  bool told_open;

  pthread_mutex_t mutex; /* for what follows */
  struct connection *connections;
  size_t n_connections;
  struct crm_token token;
  struct crm_complaint token_fault;
};

/* --- connections
 * -------------------------------------------------------------------------------------------------------------------------- */

static void notice_connection(void *cls, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode code) {
  struct crm_listen *listen = cls;
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct connection *c = calloc(1, sizeof(*c));
    *context = c;
    if (c == NULL || info == NULL) {
      free(c);
      *context = NULL;
      return; /* libmicrohttpd's own time limit still holds */
    }
    *c = (struct connection){.listen = listen, .fd = info->connect_fd, .since_us = crm_clock_monotonic_us()};
    pthread_mutex_lock(&listen->mutex);
    c->next = listen->connections;
    if (c->next != NULL)
      c->next->previous = c;
    listen->connections = c;
    listen->n_connections++;
    pthread_mutex_unlock(&listen->mutex);
    return;
  }
  struct connection *c = *context;
  if (c == NULL)
    return;
  /* The descriptor is closed after this, so that no other connection can have its number while it is in the list. */
  pthread_mutex_lock(&listen->mutex);
  if (c->previous != NULL)
    c->previous->next = c->next;
  else
    listen->connections = c->next;
  if (c->next != NULL)
    c->next->previous = c->previous;
  listen->n_connections--;
  pthread_mutex_unlock(&listen->mutex);
  free(c);
  *context = NULL;
}

/* Bytes that the other side has confirmed since it connected. */
static uint64_t taken_bytes(int fd) {
  struct tcp_info info = {0};
  socklen_t len = sizeof(info);
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 ? info.tcpi_bytes_acked : 0;
}

static void set_phase(struct MHD_Connection *mhd, enum phase phase) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  struct connection *c = info == NULL ? NULL : info->socket_context;
  if (c == NULL)
    return;
  pthread_mutex_lock(&c->listen->mutex);
  c->phase = phase;
  c->since_us = crm_clock_monotonic_us();
  c->taken_bytes = taken_bytes(c->fd);
  pthread_mutex_unlock(&c->listen->mutex);
}

static void notice_completed(void *cls, struct MHD_Connection *mhd, void **request, enum MHD_RequestTerminationCode code) {
  set_phase(mhd, ASKING);
}

/* Whether somebody else needs the place more. libmicrohttpd's own limit counts from the last byte: who sends or takes one now and then would
 * stay for ever. */
static bool is_slow(const struct connection *c, bool full, int64_t now_us) {
  int64_t limit = c->listen->options->timeout_us, age = now_us - c->since_us;
  if (c->phase == SERVED)
    return false;
  if (age > (c->phase == TAKING ? ANSWER_TIMEOUTS * limit : limit))
    return true;
  if (!full || age <= idle_at_limit_us)
    return false;
  return c->phase == ASKING || (int64_t)(taken_bytes(c->fd) - c->taken_bytes) < age * SLOWEST_AT_LIMIT / CRM_US_PER_SECOND;
}

static void close_slow(struct crm_listen *listen, int64_t now_us) {
  pthread_mutex_lock(&listen->mutex);
  bool full = listen->n_connections >= listen->options->max_connections;
  for (struct connection *c = listen->connections; c != NULL; c = c->next)
    if (is_slow(c, full, now_us))
      shutdown(c->fd, SHUT_RDWR);
  pthread_mutex_unlock(&listen->mutex);
}

/* --- answers
 * -------------------------------------------------------------------------------------------------------------------------------- */

static enum MHD_Result answer(struct MHD_Connection *mhd, unsigned status, struct MHD_Response *response) {
  if (response == NULL)
    return MHD_NO; /* closes the connection */
  set_phase(mhd, TAKING);
  enum MHD_Result result = MHD_queue_response(mhd, status, response);
  MHD_destroy_response(response);
  return result;
}

static struct MHD_Response *text_response(const char *text, const char *type) {
  struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);
  if (response != NULL)
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
  return response;
}

static enum MHD_Result answer_text(struct MHD_Connection *mhd, unsigned status, const char *text) {
  return answer(mhd, status, text_response(text, "text/plain; charset=utf-8"));
}

static void release_page(void *page) {
  crm_page_unref(page);
}

static enum MHD_Result answer_metrics(struct crm_listen *listen, struct MHD_Connection *mhd) {
  const char *accept = MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
  const char *encoding = MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_ENCODING);
  struct crm_page_kind kind = {crm_exposition_negotiate(accept), listen->options->per_account, crm_accepts_gzip(encoding)};
  struct crm_page *page = NULL;
  set_phase(mhd, SERVED); /* the first who asks for a page waits until it is made */
  if (crm_pages_get(listen->pages, kind, &page) != CRM_OK)
    return answer_text(mhd, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory, or ending\n");
  struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(page->len, page->data, release_page, page);
  if (response == NULL) {
    crm_page_unref(page);
    return MHD_NO;
  }
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, crm_exposition_content_type(kind.format));
  MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept, Accept-Encoding");
  MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  if (kind.gzip)
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
  return answer(mhd, MHD_HTTP_OK, response);
}

static enum MHD_Result answer_index(struct MHD_Connection *mhd) {
  static const char page[] = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>collectd-crm</title></head>\n"
                             "<body><h1>collectd-crm</h1><p><a href=\"/metrics\">Metrics</a></p></body></html>\n";
  struct MHD_Response *response = text_response(page, "text/html; charset=utf-8");
  if (response != NULL)
    MHD_add_response_header(response, "Content-Security-Policy", "default-src 'none'");
  return answer(mhd, MHD_HTTP_OK, response);
}

static bool may_read(struct crm_listen *listen, struct MHD_Connection *mhd) {
  if (listen->options->bearer_token_file == NULL)
    return true;
  struct crm_error err = {0};
  pthread_mutex_lock(&listen->mutex);
  if (crm_token_refresh(&listen->token, &err) != CRM_OK)
    crm_complain(&listen->token_fault, crm_clock_monotonic_us(), listen->log, CRM_LOG_ERROR, "scrape endpoint: %s; nobody is let in",
                 err.message);
  else
    crm_complaint_clear(&listen->token_fault, listen->log, "scrape endpoint: the token file is read again");
  bool fits = crm_token_fits(&listen->token, MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION));
  pthread_mutex_unlock(&listen->mutex);
  return fits;
}

static enum MHD_Result refuse(struct MHD_Connection *mhd, unsigned status, const char *text, const char *header, const char *value) {
  struct MHD_Response *response = text_response(text, "text/plain; charset=utf-8");
  if (response != NULL)
    MHD_add_response_header(response, header, value);
  return answer(mhd, status, response);
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *mhd, const char *url, const char *method, const char *version,
                              const char *upload, size_t *upload_len, void **request) {
  struct crm_listen *listen = cls;
  bool known = strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
  if (*request == NULL && known) { /* the headers are there; what follows, if anything, is not */
    *request = listen;
    return MHD_YES;
  }
  if (*upload_len > 0)
    return MHD_NO;
  if (!known)
    return refuse(mhd, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD are answered\n", MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  if (strcmp(url, "/-/healthy") == 0)
    return answer_text(mhd, MHD_HTTP_OK, "OK\n");
  if (!may_read(listen, mhd))
    return refuse(mhd, MHD_HTTP_UNAUTHORIZED, "a bearer token is needed\n", MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
  if (strcmp(url, "/metrics") == 0)
    return answer_metrics(listen, mhd);
  if (strcmp(url, "/") == 0)
    return answer_index(mhd);
  return answer_text(mhd, MHD_HTTP_NOT_FOUND, "there is nothing here but /metrics\n");
}

/* --- opening
 * -------------------------------------------------------------------------------------------------------------------------------- */

/* Changes whenever the file does; 0: it cannot be told. */
static uint64_t file_version(const char *path) {
  struct stat st;
  if (path == NULL || stat(path, &st) != 0)
    return 0;
  uint64_t version = (uint64_t)st.st_mtim.tv_sec * 1000000007u + (uint64_t)st.st_mtim.tv_nsec * 31 + (uint64_t)st.st_size * 131 + st.st_ino;
  return version == 0 ? 1 : version;
}

static enum crm_status read_file(const char *path, bool secret, char **text, struct crm_error *err) {
  char reason[128];
  struct stat st;
  *text = NULL;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0 || fstat(fd, &st) != 0) {
    crm_error_set(err, CRM_ERR_IO, "%.300s: %s", path, strerror_r(errno, reason, sizeof(reason)));
    if (fd >= 0)
      close(fd);
    return CRM_ERR_IO;
  }
  const char *why = NULL;
  if (!S_ISREG(st.st_mode))
    why = "it is not a regular file";
  else if (secret && (st.st_mode & (S_IROTH | S_IWOTH)) != 0)
    why = "every user may read or write it; run chmod o-rwx on it";
  else if (st.st_size > FILE_MAX_BYTES)
    why = "it is too large";
  else if ((*text = calloc(1, (size_t)st.st_size + 1)) == NULL)
    why = "out of memory";
  for (size_t len = 0; why == NULL && len < (size_t)st.st_size;) {
    ssize_t n = read(fd, *text + len, (size_t)st.st_size - len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      why = "it cannot be read";
    else
      len += (size_t)n;
  }
  close(fd);
  return why == NULL ? CRM_OK : crm_error_set(err, CRM_ERR_IO, "%.300s: %s", path, why);
}

static int listen_on(const struct sockaddr *address, socklen_t len, int *reason) {
  int one = 1, zero = 0;
  int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  /* An address for all is for IPv4, too; a restarted daemon must not wait for the old connections to be forgotten. */
  bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
            (address->sa_family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero)) == 0) &&
            bind(fd, address, len) == 0 && listen(fd, BACKLOG) == 0;
  *reason = errno;
  if (!ok && fd >= 0)
    close(fd);
  return ok ? fd : -1;
}

static int open_socket(const struct crm_listen_options *options, int *reason) {
  struct sockaddr_in v4 = {.sin_family = AF_INET};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_any};
  v4.sin_port = v6.sin6_port = htons((uint16_t)atoi(options->port));
  bool any = options->host[0] == '\0';
  if (any || inet_pton(AF_INET6, options->host, &v6.sin6_addr) == 1) {
    int fd = listen_on((struct sockaddr *)&v6, sizeof(v6), reason);
    if (fd >= 0 || !any || *reason == EADDRINUSE)
      return fd;
    v4.sin_addr.s_addr = htonl(INADDR_ANY); /* a machine without IPv6 */
  } else if (inet_pton(AF_INET, options->host, &v4.sin_addr) != 1) {
    *reason = EINVAL;
    return -1;
  }
  return listen_on((struct sockaddr *)&v4, sizeof(v4), reason);
}

/* Keeps what libmicrohttpd says while it starts; later it would tell of each client that goes away. */
static void keep_message(void *cls, const char *format, va_list args) CRM_PRINTF(2, 0);
static void keep_message(void *cls, const char *format, va_list args) {
  struct crm_listen *listen = cls;
  if (listen->starting)
    vsnprintf(listen->why, sizeof(listen->why), format, args);
}

static void close_daemon(struct crm_listen *listen) {
  struct MHD_Daemon *daemon = listen->daemon;
  if (daemon != NULL)
    MHD_stop_daemon(daemon);
  listen->daemon = NULL;
  if (listen->key != NULL)
    explicit_bzero(listen->key, strlen(listen->key));
  free(listen->key);
  free(listen->certificate);
  listen->key = listen->certificate = NULL;
}

static enum crm_status start_daemon(struct crm_listen *listen, struct crm_error *err) {
  const struct crm_listen_options *o = listen->options;
  bool tls = o->cert_file != NULL;
  int reason = 0;
  enum crm_status status = CRM_OK;
  listen->certificate_version = file_version(o->cert_file);
  listen->key_version = file_version(o->key_file);
  if (tls && (status = read_file(o->cert_file, false, &listen->certificate, err)) == CRM_OK)
    status = read_file(o->key_file, true, &listen->key, err);
  if (status != CRM_OK)
    return status;
  int fd = open_socket(o, &reason);
  if (fd < 0) {
    char text[128];
    return crm_error_set(err, CRM_ERR_IO, "%s", strerror_r(reason, text, sizeof(text)));
  }
  const struct MHD_OptionItem tls_options[] = {
      {MHD_OPTION_HTTPS_MEM_CERT, 0, listen->certificate},
      {MHD_OPTION_HTTPS_MEM_KEY, 0, listen->key},
      {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
      {MHD_OPTION_END, 0, NULL},
  };
  const struct MHD_OptionItem no_options[] = {{MHD_OPTION_END, 0, NULL}};
  unsigned threads = o->max_connections < THREADS ? 1 : THREADS;
  listen->why[0] = '\0';
  listen->starting = true;
  /* Without ITC a thread at its limit of connections, which does not look at the listening socket then, would not be woken to end. */
  listen->daemon = MHD_start_daemon(
      MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG | (tls ? MHD_USE_TLS : 0), 0, NULL, NULL, handle, listen,
      MHD_OPTION_EXTERNAL_LOGGER, keep_message, listen, /* libmicrohttpd wants this one first */
      MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)o->max_connections, MHD_OPTION_CONNECTION_TIMEOUT,
      (unsigned)((o->timeout_us + CRM_US_PER_SECOND - 1) / CRM_US_PER_SECOND), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      (size_t)REQUEST_MAX_BYTES, MHD_OPTION_NOTIFY_CONNECTION, notice_connection, listen, MHD_OPTION_NOTIFY_COMPLETED, notice_completed,
      listen, MHD_OPTION_THREAD_POOL_SIZE, threads > 1 ? threads : 0u, MHD_OPTION_ARRAY, tls ? tls_options : no_options, MHD_OPTION_END);
  listen->starting = false;
  if (listen->daemon != NULL)
    return CRM_OK;
  close(fd);
  listen->why[strcspn(listen->why, "\n")] = '\0';
  return crm_error_set(err, CRM_ERR_IO, "the HTTP server does not start%s%s", listen->why[0] != '\0' ? ": " : "", listen->why);
}

/* "127.0.0.1:9477" */
static void format_address(const struct crm_listen_options *o, char *buf, size_t size) {
  bool v6 = strchr(o->host, ':') != NULL;
  snprintf(buf, size, "%s%s%s:%s", v6 ? "[" : "", o->host, v6 ? "]" : "", o->port);
}

static bool is_loopback(const char *host) {
  return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}

static void open_daemon(struct crm_listen *listen, int64_t now_us) {
  const struct crm_listen_options *o = listen->options;
  struct crm_error err = {0};
  char address[80];
  format_address(o, address, sizeof(address));
  if (start_daemon(listen, &err) != CRM_OK) {
    close_daemon(listen);
    listen->next_try_us = now_us + retry_us;
    crm_complain(&listen->closed, now_us, listen->log, CRM_LOG_ERROR, "scrape endpoint %s: %s; trying again every %d s", address,
                 err.message, (int)(retry_us / CRM_US_PER_SECOND));
    return;
  }
  listen->next_check_us = now_us + certificate_check_us;
  crm_complaint_clear(&listen->closed, listen->log, "scrape endpoint %s: it is open now", address);
  if (!listen->told_open) {
    crm_log(listen->log, CRM_LOG_INFO, "scrape endpoint %s://%s/metrics is open", o->cert_file != NULL ? "https" : "http", address);
    if (!is_loopback(o->host) && o->bearer_token_file == NULL)
      crm_log(listen->log, CRM_LOG_WARNING,
              "scrape endpoint %s: whoever reaches the port may read all series; BearerTokenFile, CertFile and KeyFile keep others out",
              address);
  }
  listen->told_open = true;
}

struct crm_listen *crm_listen_new(const struct crm_listen_options *options, struct crm_pages *pages, const struct crm_log *log) {
  struct crm_listen *listen = calloc(1, sizeof(*listen));
  if (listen == NULL)
    return NULL;
  listen->options = options;
  listen->pages = pages;
  listen->log = log;
  listen->token.path = options->bearer_token_file;
  pthread_mutex_init(&listen->mutex, NULL);
  return listen;
}

void crm_listen_tend(struct crm_listen *listen, int64_t now_us) {
  const struct crm_listen_options *o = listen->options;
  if (listen->daemon == NULL) {
    if (now_us >= listen->next_try_us)
      open_daemon(listen, now_us);
    return;
  }
  close_slow(listen, now_us);
  if (o->cert_file == NULL || now_us < listen->next_check_us)
    return;
  listen->next_check_us = now_us + certificate_check_us;
  uint64_t certificate = file_version(o->cert_file), key = file_version(o->key_file);
  /* One file is changed before the other: what is new counts when it has stayed the same from one look to the next. */
  bool steady = certificate == listen->last_certificate_version && key == listen->last_key_version;
  listen->last_certificate_version = certificate;
  listen->last_key_version = key;
  if (!steady || certificate == 0 || key == 0 || (certificate == listen->certificate_version && key == listen->key_version))
    return;
  close_daemon(listen);
  open_daemon(listen, now_us);
}

void crm_listen_free(struct crm_listen *listen) {
  if (listen == NULL)
    return;
  close_daemon(listen);
  crm_token_free(&listen->token);
  pthread_mutex_destroy(&listen->mutex);
  free(listen);
}
