/* SPDX-License-Identifier: MIT */
/* A file for node_exporter's textfile collector. */
#ifndef CRM_EXPORT_TEXTFILE_H
#define CRM_EXPORT_TEXTFILE_H

#include <stddef.h>

#include "base/error.h"

/* Puts the bytes in the place of the file, so that a reader sees the old ones or the new ones, also after a crash: a file beside it, whose name
 * ends in .tmp, is written, synced and renamed. Readable by all whom the umask lets, since node_exporter is another user. CRM_ERR_IO: the old file
 * is as it was. */
enum crm_status crm_textfile_write(const char *path, const char *data, size_t len, struct crm_error *err) CRM_MUSTCHECK;
/* Removes the file: values that nobody renews must not look alive. */
void crm_textfile_remove(const char *path);

#endif
