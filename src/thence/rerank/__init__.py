"""The second stage: re-rank what the first stage retrieves, and say by which parts."""

from thence.rerank.explain import Reason as Reason
from thence.rerank.explain import reasons as reasons
from thence.rerank.learn import Lesson as Lesson
from thence.rerank.learn import RerankConfig as RerankConfig
from thence.rerank.reranker import Reranker as Reranker
from thence.rerank.table import RerankedTable as RerankedTable
from thence.rerank.table import reranked_table as reranked_table
