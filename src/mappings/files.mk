# SPDX-License-Identifier: MIT
# Shipped mappings, one runnable SELECT a file.
